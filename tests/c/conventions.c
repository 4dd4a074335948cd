/* What the C interface owes to C besides the table: NULL, texts that are not UTF-8, errors as
 * objects, borrowed GGUF values.
 *   conventions FIXTURE DIRECTORY
 */
#include "check.h"

static void null_is_answered(void) {
    mkeep_error *error = NULL;
    mkeep_store *store = NULL;
    CHECK(mkeep_store_open(NULL, NULL, &error) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_error_status(error) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(is(mkeep_error_message(error), "the result is NULL"));
    mkeep_error_free(error);
    CHECK(mkeep_store_copy(NULL, "a", "b", NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_store_verify(NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL) ==
          MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_list_count(NULL) == 0 && mkeep_gguf_count(NULL) == 0);
    CHECK(!mkeep_report_is_ok(NULL) && mkeep_gguf_hold(NULL) == NULL);
    CHECK(is(mkeep_text_str(NULL), "") && mkeep_text_c(NULL) == NULL);
    CHECK(mkeep_error_status(NULL) == MKEEP_STATUS_OK);
    mkeep_store_free(store);
    mkeep_error_free(NULL);
    mkeep_list_free(NULL);
    mkeep_report_free(NULL);
    mkeep_text_free(NULL);
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
    CHECK(strstr(mkeep_error_message(error).ptr, options.path) != NULL);
    mkeep_error_free(error);
    error = NULL;
    options.size = 3;
    CHECK(mkeep_store_open(&options, &store, &error) == MKEEP_STATUS_INVALID_ARGUMENT);
    mkeep_error_free(error);
    error = NULL;
    mkeep_gguf *gguf = NULL;
    CHECK(mkeep_gguf_open("\xff\xfe", false, false, &gguf, &error) == MKEEP_STATUS_FILE_NOT_FOUND);
    mkeep_error_free(error);
    error = NULL;
    CHECK(mkeep_gguf_open("/dev/null", false, false, &gguf, &error) == MKEEP_STATUS_IO);
    CHECK(gguf == NULL);
    mkeep_error_free(error);
    error = NULL;
    char inside[1024];
    snprintf(inside, sizeof inside, "%s/x", fixture);
    CHECK(mkeep_gguf_open(inside, false, false, &gguf, &error) == MKEEP_STATUS_IO);
    mkeep_fault fault;
    CHECK(mkeep_error_os(error) != 0 && !mkeep_error_fault(error, &fault));
    mkeep_error_free(error);
}

static void gguf_is_read_in_place(const char *fixture, bool no_mmap) {
    mkeep_gguf *first = NULL, *gguf = NULL;
    CHECK(mkeep_gguf_open(fixture, false, no_mmap, &first, NULL) == MKEEP_STATUS_OK);
    gguf = mkeep_gguf_hold(first);
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
    mkeep_warning warning;
    CHECK(mkeep_gguf_warning_count(gguf) == 0 && !mkeep_gguf_warning(gguf, 0, &warning));
    CHECK(!mkeep_gguf_is_big_endian(gguf) && mkeep_gguf_alignment(gguf) == 32);
    CHECK(mkeep_gguf_size(gguf) == mkeep_gguf_data_offset(gguf) + 128 + 32);
    mkeep_tensor tensor;
    CHECK(mkeep_gguf_tensor_count(gguf) == 2 && !mkeep_gguf_tensor(gguf, 2, &tensor));
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor) && is(tensor.name, "output_norm.weight"));
    CHECK(is(tensor.type_name, "F32") && !strcmp(tensor.type_name.ptr, "F32"));
    CHECK( tensor.n_dims == 1 && tensor.dims[0] == 8);
    CHECK(tensor.size == 32 && tensor.offset % 32 == 0);
    CHECK(no_mmap ? tensor.data == NULL : tensor.data[31] == 31);
    mkeep_text *json = NULL;
    CHECK(mkeep_gguf_json(gguf, &json, NULL) == MKEEP_STATUS_OK);
    CHECK(!strncmp(mkeep_text_c(json), "{\"gguf\":{\"version\":3,", 21));
    mkeep_text_free(json);
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
    mkeep_fault fault = {0};
    CHECK(mkeep_gguf_open(path, true, false, &gguf, &error) == MKEEP_STATUS_INVALID_GGUF);
    CHECK(mkeep_error_fault(error, &fault) && is(fault.code, "bad_value_type"));
    CHECK(fault.offset == type && is(fault.path, "kv 0 \"general.architecture\""));
    CHECK(fault.message.len > 0 && !mkeep_error_fault(NULL, &fault));
    mkeep_error_free(error);
    remove(path);
}

/* The fixture without its last byte: the header is there, and the data of the last tensor are not. */
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
    mkeep_tensor tensor;
    mkeep_warning warning;
    CHECK(mkeep_gguf_open(path, true, false, &gguf, &error) == MKEEP_STATUS_INVALID_GGUF);
    mkeep_error_free(error);
    CHECK(mkeep_gguf_open_header(path, false, false, &gguf, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_gguf_tensor_count(gguf) == 2 && mkeep_gguf_warning(gguf, 0, &warning));
    CHECK(is(warning.code, "data_out_of_bounds") && warning.message.len > 0);
    CHECK(mkeep_gguf_tensor(gguf, 0, &tensor) && tensor.data && tensor.size > 0);
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor) && !tensor.data && tensor.size > 0);
    mkeep_gguf_free(gguf);
    remove(path);
}

static void a_whole_file_is_a_model_of_one_part(const char *fixture) {
    mkeep_parts *parts = NULL;
    mkeep_tensor tensor;
    size_t part = 9;
    CHECK(mkeep_parts_open(fixture, false, false, &parts, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_parts_count(parts) == 1 && mkeep_parts_tensor_count(parts) == 2);
    CHECK(mkeep_parts_tensor(parts, 1, &part, &tensor) && part == 0 && tensor.data[31] == 31);
    CHECK(!mkeep_parts_tensor(parts, 2, &part, &tensor) && mkeep_parts_gguf(parts, 1) == NULL);
    mkeep_gguf *gguf = mkeep_parts_gguf(parts, 0);
    mkeep_parts_free(parts);
    CHECK(mkeep_gguf_count(gguf) == 9);
    mkeep_gguf_free(gguf);
}

static void names_are_counted_and_texts_are_utf8(const char *directory) {
    mkeep_store *store = NULL;
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = directory;
    CHECK(mkeep_store_open(&options, &store, NULL) == MKEEP_STATUS_OK);
    mkeep_report *report = NULL;
    mkeep_text *text = NULL;
    CHECK(mkeep_store_verify(store, NULL, 3, NULL, NULL, NULL, &report, NULL) ==
          MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_store_repair_json(store, NULL, 3, &text, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_store_path(store, "\xff", &text, NULL) == MKEEP_STATUS_INVALID_UTF8);
    CHECK(mkeep_store_path(store, NULL, &text, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(report == NULL && text == NULL);
    mkeep_store_free(store);
}

/* A directory whose name is no UTF-8, as file systems have them. */
static void paths_are_bytes(const char *fixture, const char *parent) {
    char directory[1024];
    snprintf(directory, sizeof directory, "%s/caf\xe9", parent);
    mkeep_store *store = NULL;
    mkeep_text *path = NULL;
    mkeep_report *report = NULL;
    mkeep_finding blob;
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = directory;
    options.create = true;
    CHECK(mkeep_store_open(&options, &store, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_store_import(store, fixture, "tiny", NULL, NULL, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_store_path(store, "tiny", &path, NULL) == MKEEP_STATUS_OK);
    FILE *file = fopen(mkeep_text_c(path), "rb");
    CHECK(file != NULL);
    if (file) fclose(file);
    CHECK(mkeep_store_verify(store, NULL, 0, NULL, NULL, NULL, &report, NULL) == MKEEP_STATUS_OK);
    CHECK(mkeep_report_get(report, 0, &blob) &&
          !strncmp(blob.path.ptr, directory, strlen(directory)));
    mkeep_report_free(report);
    mkeep_text_free(path);
    mkeep_store_free(store);
}

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    CHECK(mkeep_abi_version() == MKEEP_ABI_VERSION && strchr(mkeep_version(), '.'));
    a_fault_says_where(argv[1], argv[2]);
    a_header_is_read_without_its_data(argv[1], argv[2]);
    a_whole_file_is_a_model_of_one_part(argv[1]);
    null_is_answered();
    errors_say_what_and_why(argv[1]);
    names_are_counted_and_texts_are_utf8(argv[2]);
    paths_are_bytes(argv[1], argv[2]);
    gguf_is_read_in_place(argv[1], false);
    gguf_is_read_in_place(argv[1], true);
    puts(failed ? "failed" : "the conventions hold");
    return failed > 0;
}
