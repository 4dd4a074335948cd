/* What the C interface owes to C besides the table: NULL, strings that are not UTF-8, errors as
 * objects, borrowed GGUF values.
 *   conventions FIXTURE DIRECTORY
 */
#include "check.h"

#include <stdlib.h>

/* What holds on Unix, and what on Windows, where paths are Unicode. */
#ifdef _WIN32
#define IF_PATHS_ARE_BYTES(holds, otherwise) otherwise
#else
#define IF_PATHS_ARE_BYTES(holds, otherwise) holds
#endif

static void null_is_nothing(void) {
    mkeep_error *error = NULL;
    mkeep_store *store = NULL;
    CHECK(mkeep_store_open(NULL, NULL, &error) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_error_status(error) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(is(mkeep_error_message(error), "the result is NULL"));
    mkeep_error_free(error);
    CHECK(mkeep_store_copy(NULL, "a", "b", NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_store_verify(NULL, NULL, 0, NULL, NULL, NULL) ==
          MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_list_count(NULL) == 0 && mkeep_gguf_count(NULL) == 0);
    CHECK(!mkeep_report_is_ok(NULL) && mkeep_gguf_retain(NULL) == NULL);
    CHECK(is(mkeep_string_str(NULL), "") && mkeep_string_c(NULL) == NULL);
    CHECK(mkeep_error_status(NULL) == MKEEP_STATUS_OK);
    mkeep_str string;
    mkeep_totals sums = {.size = sizeof sums};
    mkeep_details details = {.size = sizeof details};
    CHECK(is(mkeep_show_template(NULL), "") && !mkeep_show_license(NULL, 0, &string));
    CHECK(!mkeep_usage_totals(NULL, &sums) && !mkeep_show_details(NULL, &details));
    CHECK(mkeep_deleted_bytes(NULL) == 0 && !mkeep_diagnosis_is_ok(NULL));
    CHECK(mkeep_maintained_collected(NULL) == NULL && !mkeep_collected_blob(NULL, 0, &string));
    CHECK(mkeep_usage_json(NULL, NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    mkeep_store_free(store);
    mkeep_error_free(NULL);
    mkeep_list_free(NULL);
    mkeep_model_free(NULL);
    mkeep_show_free(NULL);
    mkeep_report_free(NULL);
    mkeep_deleted_free(NULL);
    mkeep_collected_free(NULL);
    mkeep_maintained_free(NULL);
    mkeep_repaired_free(NULL);
    mkeep_imported_free(NULL);
    mkeep_usage_free(NULL);
    mkeep_diagnosis_free(NULL);
    mkeep_uses_free(NULL);
    mkeep_string_free(NULL);
    mkeep_gguf_free(NULL);
    mkeep_parts_free(NULL);
}

static void errors_say_what_and_why(const char *fixture) {
    mkeep_error *error = NULL;
    mkeep_store *store = NULL;
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = "/nonexistent/of/modelkeep";
    CHECK(mkeep_store_open(&options, &store, &error) == MKEEP_STATUS_FILE_NOT_FOUND);
    CHECK(store == NULL && mkeep_error_http_status(error) == 404);
    CHECK(contains(mkeep_error_message(error), options.path));
    CHECK(is(mkeep_error_path(error), options.path));
    mkeep_str name;
    CHECK(!mkeep_error_suggestion(error, 0, &name) && is(mkeep_error_path(NULL), ""));
    mkeep_error_free(error);
    error = NULL;
    options.size = 3;
    CHECK(mkeep_store_open(&options, &store, &error) == MKEEP_STATUS_INVALID_ARGUMENT);
    mkeep_error_free(error);
    error = NULL;
    mkeep_gguf *gguf = NULL;
    CHECK(mkeep_gguf_open("\xff\xfe", NULL, &gguf, &error) == IF_PATHS_ARE_BYTES(
              MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_INVALID_UTF8));
    mkeep_error_free(error);
    error = NULL;
    CHECK(mkeep_gguf_open(IF_PATHS_ARE_BYTES("/dev/null", "NUL"), NULL, &gguf, &error) == MKEEP_STATUS_IO);
    CHECK(gguf == NULL);
    mkeep_error_free(error);
    error = NULL;
    char inside[1024];
    snprintf(inside, sizeof inside, "%s/x", fixture);
    CHECK(mkeep_gguf_open(inside, NULL, &gguf, &error) ==
          IF_PATHS_ARE_BYTES(MKEEP_STATUS_IO, MKEEP_STATUS_FILE_NOT_FOUND));
    mkeep_parse_error fault = {.size = sizeof fault};
    CHECK(mkeep_error_os(error) != 0 && !mkeep_error_parse_error(error, &fault));
    mkeep_error_free(error);
}

static void gguf_is_read_in_place(const char *fixture, bool no_mmap) {
    const mkeep_gguf_options options = {.size = sizeof options, .no_mmap = no_mmap ? 7 : 0};
    mkeep_gguf *first = NULL, *gguf = NULL;
    CHECK(mkeep_gguf_open(fixture, &options, &first, NULL) == MKEEP_STATUS_OK);
    gguf = mkeep_gguf_retain(first);
    mkeep_gguf_free(first);
    mkeep_value value;
    mkeep_str key, word;
    CHECK(mkeep_gguf_version(gguf) == 3 && mkeep_gguf_parameter_count(gguf) == 40);
    CHECK(mkeep_gguf_get(gguf, 0, &key, &value) && is(key, "general.architecture"));
    CHECK(value.type == MKEEP_VALUE_TYPE_STR && is(value.str, "llama"));
    CHECK(mkeep_gguf_find(gguf, "llama.context_length", &value) && value.u == 128);
    CHECK(mkeep_gguf_find(gguf, "llama.rope.freq_base", &value) && value.f == 10000.0);
    CHECK(mkeep_gguf_find(gguf, "tokenizer.ggml.add_bos_token", &value) && value.u == 1);
    CHECK(!mkeep_gguf_find(gguf, "no.such.key", &value));
    CHECK(mkeep_gguf_find(gguf, "tokenizer.ggml.scores", &value));
    float last;
    memcpy(&last, value.array.bytes + value.array.len - sizeof last, sizeof last);
    CHECK(value.array.count == 4 && last == -3.5f);
    mkeep_value element;
    CHECK(mkeep_array_get(&value.array, 1, &element) && element.f == -1.0);
    CHECK(!mkeep_array_get(&value.array, 4, &element) && !mkeep_array_get(NULL, 0, &element));
    CHECK(mkeep_gguf_find(gguf, "tokenizer.ggml.tokens", &value));
    CHECK(value.type == MKEEP_VALUE_TYPE_ARRAY && value.array.element == MKEEP_VALUE_TYPE_STR);
    static const char *const words[] = {"<s>", "</s>", "hello", "world"};
    size_t at = 0, count = 0;
    while (mkeep_array_next_str(&value.array, &at, &word)) {
        CHECK(count < 4 && is(word, words[count]));
        count++;
    }
    CHECK(count == 4 && at == value.array.len);
    CHECK(mkeep_array_get(&value.array, 2, &element) && is(element.str, "hello"));
    mkeep_warning warning = {.size = sizeof warning};
    CHECK(mkeep_gguf_warning_count(gguf) == 0 && !mkeep_gguf_warning(gguf, 0, &warning));
    CHECK(!mkeep_gguf_is_big_endian(gguf) && mkeep_gguf_alignment(gguf) == 32);
    CHECK(mkeep_gguf_size(gguf) == mkeep_gguf_data_offset(gguf) + 128 + 32);
    mkeep_tensor tensor = {.size = sizeof tensor};
    CHECK(mkeep_gguf_tensor_count(gguf) == 2 && !mkeep_gguf_tensor(gguf, 2, &tensor));
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor) && is(tensor.name, "output_norm.weight"));
    CHECK(is(tensor.type_name, "F32") && !strcmp(tensor.type_name.ptr, "F32"));
    CHECK(tensor.n_dims == 1 && tensor.dims[0] == 8);
    CHECK(tensor.n_bytes == 32 && tensor.offset % 32 == 0);
    CHECK(no_mmap ? tensor.data == NULL : tensor.data[31] == 31);
    mkeep_string *json = NULL;
    CHECK(mkeep_gguf_json(gguf, &json, NULL) == MKEEP_STATUS_OK);
    CHECK(!strncmp(mkeep_string_c(json), "{\"gguf\":{\"version\":3,", 21));
    mkeep_string_free(json);
    mkeep_gguf_free(gguf);
}

/* The head of the fixture with another byte in the place of the type of its first value. */
static void a_fault_says_where(const char *fixture, const char *directory) {
    char bytes[1024], path[1024];
    FILE *file = fopen(fixture, "rb");
    size_t count = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file) fclose(file);
    const size_t type = 24 + 8 + strlen("general.architecture");
    CHECK(count > type);
    bytes[type] = 77;
    snprintf(path, sizeof path, "%s/broken.gguf", directory);
    file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, count, file) == count);
    if (file) fclose(file);
    mkeep_gguf *gguf = NULL;
    mkeep_error *error = NULL;
    mkeep_parse_error fault = {.size = sizeof fault};
    const mkeep_gguf_options lenient = {.size = sizeof lenient, .lenient = 1};
    CHECK(mkeep_gguf_open(path, &lenient, &gguf, &error) == MKEEP_STATUS_INVALID_GGUF);
    CHECK(mkeep_error_parse_error(error, &fault) && is(fault.code, "bad_value_type"));
    CHECK(fault.offset == type && is(fault.path, "kv 0 \"general.architecture\""));
    CHECK(fault.message.len > 0 && !mkeep_error_parse_error(NULL, &fault));
    mkeep_error_free(error);
    remove(path);
}

/* The fixture without its last byte: its header, and not all data of the last tensor. */
static void a_header_is_read_without_its_data(const char *fixture, const char *directory) {
    char bytes[1024], path[1024];
    FILE *file = fopen(fixture, "rb");
    size_t count = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file) fclose(file);
    CHECK(count > 0 && count < sizeof bytes);
    snprintf(path, sizeof path, "%s/cut.gguf", directory);
    file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, count - 1, file) == count - 1);
    if (file) fclose(file);
    mkeep_gguf *gguf = NULL;
    mkeep_error *error = NULL;
    mkeep_tensor tensor = {.size = sizeof tensor};
    mkeep_warning warning = {.size = sizeof warning};
    mkeep_gguf_options options = {.size = sizeof options, .lenient = 1};
    CHECK(mkeep_gguf_open(path, &options, &gguf, &error) == MKEEP_STATUS_INVALID_GGUF);
    mkeep_error_free(error);
    options.lenient = 0;
    options.header_only = 1;
    CHECK(mkeep_gguf_open(path, &options, &gguf, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_gguf_tensor_count(gguf) == 2 && mkeep_gguf_warning(gguf, 0, &warning));
    CHECK(is(warning.code, "data_out_of_bounds") && warning.message.len > 0);
    CHECK(mkeep_gguf_tensor(gguf, 0, &tensor) && tensor.data && tensor.n_bytes > 0);
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor) && !tensor.data && tensor.n_bytes > 0);
    mkeep_gguf_free(gguf);
    remove(path);
}

static void a_whole_file_is_a_model_of_one_part(const char *fixture) {
    mkeep_parts *parts = NULL;
    mkeep_tensor tensor = {.size = sizeof tensor};
    size_t part = 9;
    CHECK(mkeep_parts_open(fixture, NULL, &parts, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_parts_count(parts) == 1 && mkeep_parts_tensor_count(parts) == 2);
    CHECK(mkeep_parts_tensor(parts, 1, &part, &tensor) && part == 0 && tensor.data[31] == 31);
    CHECK(!mkeep_parts_tensor(parts, 2, &part, &tensor) && mkeep_parts_gguf(parts, 1) == NULL);
    mkeep_gguf *gguf = mkeep_parts_gguf(parts, 0);
    mkeep_parts_free(parts);
    CHECK(mkeep_gguf_count(gguf) == 9);
    mkeep_gguf_free(gguf);
}

static void names_are_counted_and_strings_are_utf8(const char *directory) {
    mkeep_store *store = NULL;
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = directory;
    CHECK(mkeep_store_open(&options, &store, NULL) == MKEEP_STATUS_OK);
    mkeep_report *report = NULL;
    mkeep_string *string = NULL;
    CHECK(mkeep_store_verify(store, NULL, 3, NULL, &report, NULL) ==
          MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_store_repair(store, NULL, NULL, NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_store_path(store, "\xff", &string, NULL) == MKEEP_STATUS_INVALID_UTF8);
    CHECK(mkeep_store_path(store, NULL, &string, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(report == NULL && string == NULL);
    mkeep_store_free(store);
}

/* A directory whose name is no UTF-8, as file systems have them. */
static void paths_are_bytes(const char *fixture, const char *parent) {
    char directory[1024];
    snprintf(directory, sizeof directory, "%s/caf\xe9", parent);
    mkeep_store *store = NULL;
    mkeep_string *path = NULL;
    mkeep_report *report = NULL;
    mkeep_finding blob = {.size = sizeof blob};
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = directory;
    options.create = 1;
    const mkeep_status opened = mkeep_store_open(&options, &store, NULL);
    CHECK(opened == IF_PATHS_ARE_BYTES(MKEEP_STATUS_OK, MKEEP_STATUS_INVALID_UTF8));
    if (opened != MKEEP_STATUS_OK) return;
    CHECK(mkeep_store_import(store, fixture, "tiny", NULL, NULL, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_store_path(store, "tiny", &path, NULL) == MKEEP_STATUS_OK);
    FILE *file = fopen(mkeep_string_c(path), "rb");
    CHECK(file != NULL);
    if (file) fclose(file);
    CHECK(mkeep_store_verify(store, NULL, 0, NULL, &report, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_report_get(report, 0, &blob) &&
          !strncmp(blob.path.ptr, directory, strlen(directory)));
    mkeep_report_free(report);
    mkeep_string_free(path);
    mkeep_store_free(store);
}

/* Structs of an older and of a later program, and one that states no size. */
static void structs_are_filled_as_far_as_they_go(const char *fixture) {
    struct {
        mkeep_tensor known;
        uint64_t later;
    } tensor = {.known = {.size = sizeof tensor}, .later = 7};
    mkeep_gguf *gguf = NULL;
    CHECK(mkeep_gguf_open(fixture, NULL, &gguf, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor.known) && tensor.known.n_bytes == 32);
    CHECK(tensor.known.size == sizeof(mkeep_tensor) && tensor.later == 7);
    memset(&tensor, 7, sizeof tensor);
    tensor.known.size = offsetof(mkeep_tensor, type_name);
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor.known) && is(tensor.known.name, "output_norm.weight"));
    CHECK(tensor.known.size == offsetof(mkeep_tensor, type_name));
    CHECK(tensor.known.n_dims == 0x07070707);
    tensor.known.size = 0;
    CHECK(!mkeep_gguf_tensor(gguf, 1, &tensor.known) && tensor.known.size == 0);
    mkeep_gguf_free(gguf);
}

/* Options of an older program: what it does not know is the default. */
static void options_of_an_older_program_are_taken(const char *directory) {
    mkeep_store_options options;
    memset(&options, 0xff, sizeof options);
    options.size = offsetof(mkeep_store_options, create);
    mkeep_store *store = NULL;
    CHECK(!setenv("OLLAMA_MODELS", directory, 1));
    CHECK(mkeep_store_open(&options, &store, NULL) == MKEEP_STATUS_OK);
    CHECK(is(mkeep_store_root(store), directory));
    mkeep_store_free(store);
    mkeep_gguf_options reserved = {.size = sizeof reserved, .reserved = {0, 0, 0, 0, 1}};
    mkeep_gguf *gguf = NULL;
    CHECK(mkeep_gguf_open(directory, &reserved, &gguf, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
}

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    CHECK(mkeep_abi_version() == MKEEP_ABI_VERSION && strchr(mkeep_version(), '.'));
    a_fault_says_where(argv[1], argv[2]);
    a_header_is_read_without_its_data(argv[1], argv[2]);
    a_whole_file_is_a_model_of_one_part(argv[1]);
    null_is_nothing();
    errors_say_what_and_why(argv[1]);
    structs_are_filled_as_far_as_they_go(argv[1]);
    options_of_an_older_program_are_taken(argv[2]);
    names_are_counted_and_strings_are_utf8(argv[2]);
    paths_are_bytes(argv[1], argv[2]);
    gguf_is_read_in_place(argv[1], false);
    gguf_is_read_in_place(argv[1], true);
    puts(failed ? "failed" : "the conventions hold");
    return failed > 0;
}
