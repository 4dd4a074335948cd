/* Any GGUF file through the C interface.
 *   corpus gguf FILE --json [--lenient]   prints what the command of that form prints
 *   corpus FILE...                        reads every byte that is borrowed from those that open
 */
#include "check.h"

/* Where the bytes go that are read, lest nobody reads them. */
static volatile unsigned sum;

static void read_all(const void *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) sum += ((const unsigned char *)bytes)[i];
}

static void read_value(const mkeep_value *value);

static void read_array(const mkeep_array *array) {
    mkeep_value element;
    mkeep_str text;
    size_t at = 0;
    uint64_t texts = 0;
    read_all(array->bytes, array->len);
    while (mkeep_array_next_str(array, &at, &text)) {
        read_all(text.ptr, text.len);
        texts++;
    }
    CHECK(texts == (array->element == MKEEP_VALUE_TYPE_STR ? array->count : 0));
    /* To walk to each text from the first takes the square of their number. */
    const uint64_t step = array->element == MKEEP_VALUE_TYPE_STR ? array->count / 16 + 1 : 1;
    for (uint64_t i = 0; i < array->count; i += step) {
        CHECK(mkeep_array_get(array, i, &element));
        read_value(&element);
    }
    CHECK(!mkeep_array_get(array, array->count, &element));
}

static void read_value(const mkeep_value *value) {
    read_all(value->str.ptr, value->str.len);
    if (value->type == MKEEP_VALUE_TYPE_ARRAY) read_array(&value->array);
}

static void read_file(const mkeep_gguf *gguf) {
    mkeep_str key;
    mkeep_value value;
    mkeep_tensor tensor = {.size = sizeof tensor};
    mkeep_warning warning = {.size = sizeof warning};
    for (size_t i = 0; mkeep_gguf_get(gguf, i, &key, &value); i++) {
        read_all(key.ptr, key.len);
        read_value(&value);
    }
    for (size_t i = 0; mkeep_gguf_tensor(gguf, i, &tensor); i++) {
        read_all(tensor.name.ptr, tensor.name.len);
        CHECK(tensor.type_name.len == strlen(tensor.type_name.ptr));
        if (tensor.data) read_all(tensor.data, (size_t)tensor.size);
    }
    for (size_t i = 0; mkeep_gguf_warning(gguf, i, &warning); i++)
        CHECK(warning.code.len > 0 && warning.path.len == strlen(warning.path.ptr));
}

/* Opens a file in each of the four ways; returns in how many of them it opened. */
static int read_in_all_ways(const char *path) {
    int opened = 0;
    for (int way = 0; way < 4; way++) {
        mkeep_gguf *gguf = NULL;
        mkeep_error *error = NULL;
        mkeep_parse_error fault = {.size = sizeof fault};
        const mkeep_gguf_options options = {
            .size = sizeof options, .lenient = way & 1, .no_mmap = way & 2};
        if (mkeep_gguf_open(path, &options, &gguf, &error) == MKEEP_STATUS_OK) {
            read_file(gguf);
            opened++;
        } else {
            CHECK(gguf == NULL && mkeep_error_parse_error(error, &fault) && fault.code.len > 0);
        }
        mkeep_error_free(error);
        mkeep_gguf_free(gguf);
    }
    return opened;
}

static void print_quoted(mkeep_str text) {
    putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char byte = (unsigned char)text.ptr[i];
        if (byte == '"' || byte == '\\') printf("\\%c", byte);
        else if (byte < ' ') printf("\\u%04x", byte);
        else putchar(byte);
    }
    putchar('"');
}

static int print(const char *path, bool lenient) {
    mkeep_gguf *gguf = NULL;
    mkeep_string *json = NULL;
    mkeep_error *error = NULL;
    mkeep_parse_error fault = {.size = sizeof fault};
    const mkeep_gguf_options options = {.size = sizeof options, .lenient = lenient};
    if (mkeep_gguf_open(path, &options, &gguf, &error) == MKEEP_STATUS_OK &&
        mkeep_gguf_json(gguf, &json, &error) == MKEEP_STATUS_OK) {
        read_file(gguf);
        fwrite(mkeep_string_c(json), 1, mkeep_string_str(json).len, stdout);
    } else if (mkeep_error_parse_error(error, &fault)) {
        printf("{\"error\":{\"kind\":");
        print_quoted(fault.code);
        printf(",\"offset\":%llu,\"path\":", (unsigned long long)fault.offset);
        print_quoted(fault.path);
        printf(",\"message\":");
        print_quoted(fault.message);
        printf("}}");
    } else {
        fprintf(stderr, "%s\n", mkeep_error_message(error).ptr);
    }
    const int status = mkeep_error_status(error) != MKEEP_STATUS_OK;
    mkeep_error_free(error);
    mkeep_string_free(json);
    mkeep_gguf_free(gguf);
    return failed ? 3 : status;
}

int main(int argc, char *argv[]) {
    if (argc > 3 && !strcmp(argv[1], "gguf"))
        return print(argv[2], argc > 4 && !strcmp(argv[4], "--lenient"));
    int opened = 0;
    for (int i = 1; i < argc; i++) opened += read_in_all_ways(argv[i]);
    printf("%d files, opened %d times in four ways\n", argc - 1, opened);
    return failed || opened == 0 || opened == 4 * (argc - 1);
}
