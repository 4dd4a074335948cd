/* What calls can be asked for, and what comes from streams and from memory.
 *   options FIXTURE DIRECTORY
 */
#include "check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef _WIN32
#include <windows.h>
#define link(file, name) (!CreateHardLinkA(name, file, NULL))
#endif

static const char *fixture;

static void write_bytes(const char *path, const char *bytes, size_t len) {
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, len, file) == len);
    if (file) CHECK(!fclose(file));
}

/* Bytes that are written and read as a stream, a few at a time. */
struct stream {
    char bytes[65536];
    size_t len, at;
};

static ptrdiff_t put(void *user, const uint8_t *bytes, size_t len) {
    struct stream *stream = user;
    const size_t taken = len < 1000 ? len : 1000;
    if (taken > sizeof stream->bytes - stream->len) return -1;
    memcpy(stream->bytes + stream->len, bytes, taken);
    stream->len += taken;
    return (ptrdiff_t)taken;
}

static ptrdiff_t get(void *user, uint8_t *buffer, size_t len) {
    struct stream *stream = user;
    const size_t left = stream->len - stream->at, given = left < len ? left : len;
    memcpy(buffer, stream->bytes + stream->at, given);
    stream->at += given;
    return (ptrdiff_t)given;
}

static ptrdiff_t refuse(void *user, const uint8_t *bytes, size_t len) {
    (void)user, (void)bytes, (void)len;
    return -1;
}

/* Says that it took more than it was given. */
static ptrdiff_t lie(void *user, const uint8_t *bytes, size_t len) {
    (void)user, (void)bytes;
    return (ptrdiff_t)len + 1;
}

static void a_copy_replaces_as_it_is_asked(mkeep_store *store) {
    mkeep_copied *copied = NULL;
    mkeep_string *json = NULL;
    mkeep_copy_options options = {.size = sizeof options, .no_replace = 1};
    DONE(mkeep_store_copy_with(store, "TINY", "copy", &options, &copied, error));
    CHECK(is(mkeep_copied_from(copied), "tiny:latest") && is(mkeep_copied_to(copied), "copy:latest"));
    CHECK(!mkeep_copied_is_replacement(copied));
    DONE(mkeep_copied_json(copied, &json, error));
    CHECK(has(json, "\"to\":\"copy:latest\""));
    mkeep_copied_free(copied);
    copied = NULL;
    mkeep_error *error = NULL;
    CHECK(mkeep_store_copy_with(store, "tiny", "copy", &options, &copied, &error) ==
          MKEEP_STATUS_ALREADY_EXISTS);
    CHECK(!copied && contains(mkeep_error_message(error), "already exists"));
    mkeep_error_free(error);
    DONE(mkeep_store_copy_with(store, "tiny", "copy", NULL, &copied, error));
    CHECK(mkeep_copied_is_replacement(copied));
    mkeep_copied_free(copied);
    DONE(mkeep_store_copy_with(store, "tiny", "copy", NULL, NULL, error));
    options.reserved[0] = 1;
    CHECK(mkeep_store_copy_with(store, "tiny", "copy", &options, NULL, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    mkeep_copied_free(NULL);
    CHECK(is(mkeep_copied_from(NULL), "") && !mkeep_copied_is_replacement(NULL));
}

static void a_delete_can_be_tried(mkeep_store *store) {
    const char *both[] = {"copy", "tiny"}, *one[] = {"copy", "nope"};
    mkeep_delete_options options = {.size = sizeof options, .dry_run = 1};
    mkeep_deleted *deleted = NULL;
    mkeep_failure failure = {.size = sizeof failure};
    mkeep_str text;
    DONE(mkeep_store_delete_with(store, both, 2, &options, &deleted, error));
    CHECK(mkeep_deleted_is_dry_run(deleted) && mkeep_deleted_bytes(deleted) > 736);
    CHECK(mkeep_deleted_model(deleted, 1, &text) && !mkeep_deleted_model(deleted, 2, &text));
    mkeep_deleted_free(deleted);
    options.dry_run = 0;
    DONE(mkeep_store_delete_with(store, one, 2, &options, &deleted, error));
    CHECK(!mkeep_deleted_is_dry_run(deleted) && mkeep_deleted_bytes(deleted) == 0);
    CHECK(mkeep_deleted_failure(deleted, 0, &failure) && is(failure.name, "nope"));
    mkeep_deleted_free(deleted);
    CHECK(mkeep_store_model(store, "copy", NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    options.reserved[6] = 1;
    CHECK(mkeep_store_delete_with(store, both, 2, &options, NULL, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(!mkeep_deleted_is_dry_run(NULL));
}

static void a_store_is_opened_as_asked(void) {
    mkeep_store *store = NULL;
    mkeep_error *error = NULL;
    mkeep_store_options options = {.size = sizeof options, .path = directory, .delete_delay = 1};
    options.template_choice = MKEEP_TEMPLATE_CHOICE_GO;
    DONE(mkeep_store_open(&options, &store, error));
    DONE(mkeep_store_copy(store, "tiny", "gone", error));
    DONE(mkeep_store_delete(store, "gone", NULL, error));
    mkeep_store_free(store);
    store = NULL;
    options.no_delete_delay = 1;
    CHECK(mkeep_store_open(&options, &store, &error) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(contains(mkeep_error_message(error), "delete_delay"));
    mkeep_error_free(error);
    options.delete_delay = 0;
    options.no_cache = 1;
    DONE(mkeep_store_open(&options, &store, error));
    mkeep_store_free(store);
    store = NULL;
    options.cache_size = 1 << 20;
    CHECK(mkeep_store_open(&options, &store, &error) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(contains(mkeep_error_message(error), "cache_size"));
    mkeep_error_free(error);
    options.no_cache = 0;
    DONE(mkeep_store_open(&options, &store, error));
    mkeep_store_free(store);
    store = NULL;
    options.template_choice = 3;
    CHECK(mkeep_store_open(&options, &store, &error) == MKEEP_STATUS_INVALID_ARGUMENT && !store);
    CHECK(contains(mkeep_error_message(error), "mkeep_template_choice"));
    mkeep_error_free(error);
}

static void models_travel_through_streams(mkeep_store *store) {
    static struct stream stream;
    const char *names[] = {"tiny"};
    int calls = 0;
    mkeep_exported *exported = NULL;
    mkeep_export_options options = {.size = sizeof options};
    DONE(mkeep_store_export_to(store, names, 1, put, &stream, NULL, &exported, error));
    CHECK(mkeep_exported_blobs(exported) == 2 && stream.len % 512 == 0);
    mkeep_exported_free(exported);
    const size_t whole = stream.len;
    stream.len = 0;
    options.progress = go_on;
    options.user = &calls;
    DONE(mkeep_store_export_to(store, names, 1, put, &stream, &options, NULL, error));
    CHECK(stream.len == whole && calls > 1);
    mkeep_error *error = NULL;
    CHECK(mkeep_store_export_to(store, names, 1, refuse, NULL, NULL, NULL, &error) ==
          MKEEP_STATUS_IO);
    CHECK(contains(mkeep_error_message(error), "the caller's stream failed"));
    mkeep_error_free(error);
    CHECK(mkeep_store_export_to(store, names, 1, lie, NULL, NULL, NULL, NULL) == MKEEP_STATUS_IO);
    CHECK(mkeep_store_export_to(store, names, 1, NULL, NULL, NULL, NULL, NULL) ==
          MKEEP_STATUS_NULL_ARGUMENT);

    mkeep_store *other = make_store(at("other"));
    mkeep_imported_archive *imported = NULL;
    mkeep_archived_model model = {.size = sizeof model};
    mkeep_import_archive_options how = {.size = sizeof how, .progress = stop};
    CHECK(mkeep_store_import_stream(other, get, &stream, &how, NULL, NULL) ==
          MKEEP_STATUS_CANCELLED);
    how.progress = go_on;
    how.user = &calls;
    how.name = "named";
    stream.at = 0;
    DONE(mkeep_store_import_stream(other, get, &stream, &how, &imported, error));
    CHECK(mkeep_imported_archive_model(imported, 0, &model) && is(model.name, "named:latest"));
    mkeep_imported_archive_free(imported);
    stream.at = 0;
    stream.len = whole / 2;
    CHECK(mkeep_store_import_stream(other, get, &stream, NULL, NULL, NULL) == MKEEP_STATUS_CORRUPT);
    CHECK(mkeep_store_import_stream(other, NULL, NULL, NULL, NULL, NULL) ==
          MKEEP_STATUS_NULL_ARGUMENT);
    mkeep_store_free(other);
}

/* A manifest and the files of its blobs, as a browser downloads them. */
static void loose_downloads_become_a_model(mkeep_store *store) {
    mkeep_store *other = make_store(at("loose"));
    mkeep_model *model = NULL;
    mkeep_layer layer = {.size = sizeof layer};
    char name[64];
    CHECK(!mkdir(at("downloads"), 0777));
    DONE(mkeep_store_model(store, "tiny", &model, error));
    for (size_t i = 0; mkeep_model_layer(model, i, &layer); i++) {
        snprintf(name, sizeof name, "downloads/file (%zu)", i);
        CHECK(!link(layer.path.ptr, at(name)));
    }
    mkeep_model_free(model);
    const char *manifest = at("manifests/registry.ollama.ai/library/tiny/latest");
    mkeep_import_archive_options options = {.size = sizeof options, .name = "fetched"};
    mkeep_imported_archive *imported = NULL;
    mkeep_error *error = NULL;
    CHECK(mkeep_store_import_manifest(other, manifest, at("loose"), &options, NULL, &error) ==
          MKEEP_STATUS_FILE_NOT_FOUND);
    CHECK(contains(mkeep_error_message(error), "sha256:"));
    mkeep_error_free(error);
    DONE(mkeep_store_import_manifest(other, manifest, at("downloads"), &options, &imported, error));
    CHECK(mkeep_imported_archive_new_blobs(imported) == 2);
    mkeep_imported_archive_free(imported);
    CHECK(mkeep_store_is_archive("x.tar") && !mkeep_store_is_archive(fixture));
    CHECK(!mkeep_store_is_archive(NULL));
    mkeep_store_free(other);
}

static void a_file_is_imported_as_what_it_is(mkeep_store *store) {
    const char text[] = "FROM tiny\nSYSTEM Be brief.\n";
    const char *files[] = {at("Modelfile"), fixture};
    const mkeep_import_options options = {.size = sizeof options, .replace = 1};
    write_bytes(files[0], text, strlen(text));
    for (size_t i = 0; i < 2; i++) {
        mkeep_show *show = NULL;
        DONE(mkeep_store_import_file(store, files[i], "either", &options, NULL, error));
        DONE(mkeep_store_show(store, "either", NULL, &show, error));
        CHECK(is(mkeep_show_system(show), i == 0 ? "Be brief." : ""));
        mkeep_show_free(show);
    }
    DONE(mkeep_store_delete(store, "either", NULL, error));
}

static void a_config_has_what_it_says(mkeep_store *store) {
    const mkeep_import_options options = {
        .size = sizeof options, .renderer = "gemma3", .parser = "harmony", .required_release = "0.9"};
    mkeep_model *model = NULL;
    mkeep_config *config = NULL;
    mkeep_config_facts facts = {.size = sizeof facts};
    mkeep_str text;
    mkeep_string *json = NULL;
    DONE(mkeep_store_import(store, fixture, "rendered", &options, NULL, error));
    DONE(mkeep_store_model(store, "rendered", &model, error));
    DONE(mkeep_model_config(model, &config, error));
    mkeep_model_free(model);
    CHECK(mkeep_config_get(config, &facts) && is(facts.renderer, "gemma3"));
    CHECK(is(facts.parser, "harmony") && is(facts.required_release, "0.9"));
    CHECK(is(facts.format, "gguf") && is(facts.family, "llama") && is(facts.parameter_size, "40"));
    CHECK(is(facts.quantization_level, "F16") && is(facts.remote_host, ""));
    CHECK(mkeep_config_family(config, 0, &text) && is(text, "llama"));
    CHECK(!mkeep_config_family(config, 1, &text) && !mkeep_config_capability(config, 0, &text));
    DONE(mkeep_config_json(config, &json, error));
    CHECK(has(json, "\"renderer\":\"gemma3\""));
    mkeep_config_free(config);
    mkeep_config_free(NULL);
    CHECK(!mkeep_config_get(NULL, &facts));
    DONE(mkeep_store_delete(store, "rendered", NULL, error));
}

struct place {
    const uint8_t *bytes;
    size_t len;
    int fails;
};

static ptrdiff_t read_place(void *user, uint8_t *buffer, size_t len, uint64_t at) {
    const struct place *place = user;
    if (place->fails || at > place->len) return -1;
    const size_t rest = place->len - (size_t)at;
    /* A few bytes at a time, as a reader may. */
    const size_t count = rest < len ? (rest < 100 ? rest : 100) : (len < 100 ? len : 100);
    memcpy(buffer, place->bytes + at, count);
    return (ptrdiff_t)count;
}

static void a_file_is_read_at_offsets(void) {
    uint8_t bytes[1024];
    FILE *file = fopen(fixture, "rb");
    const size_t len = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file) fclose(file);
    struct place place = {bytes, len, 0};
    mkeep_gguf *gguf = NULL;
    mkeep_tensor tensor = {.size = sizeof tensor};
    DONE(mkeep_gguf_from_read_at(len, read_place, &place, NULL, &gguf, error));
    CHECK(mkeep_gguf_size(gguf) == len && mkeep_gguf_tensor(gguf, 1, &tensor) && !tensor.data);
    mkeep_gguf_free(gguf);
    gguf = NULL;
    CHECK(mkeep_gguf_from_read_at(len - 1, read_place, &place, NULL, &gguf, NULL) ==
          MKEEP_STATUS_INVALID_GGUF);
    CHECK(mkeep_gguf_from_read_at(len, NULL, &place, NULL, &gguf, NULL) ==
          MKEEP_STATUS_NULL_ARGUMENT);
    place.fails = 1;
    CHECK(mkeep_gguf_from_read_at(len, read_place, &place, NULL, &gguf, NULL) == MKEEP_STATUS_IO);
    CHECK(!gguf);
}

static void a_file_is_read_from_memory(void) {
    uint8_t bytes[1024];
    FILE *file = fopen(fixture, "rb");
    const size_t len = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file) fclose(file);
    mkeep_gguf *gguf = NULL, *same = NULL;
    mkeep_tensor tensor = {.size = sizeof tensor};
    DONE(mkeep_gguf_from_bytes(bytes, len, NULL, &gguf, error));
    same = mkeep_gguf_retain(gguf);
    mkeep_gguf_free(gguf);
    CHECK(mkeep_gguf_tensor(same, 1, &tensor) && tensor.data == bytes + tensor.offset);
    CHECK(mkeep_gguf_size(same) == len && mkeep_gguf_header_size(same) > 0);
    CHECK(mkeep_gguf_header_size(same) <= mkeep_gguf_data_offset(same));
    CHECK(is(mkeep_gguf_file_type(same), "F16") && is(mkeep_gguf_file_type(NULL), ""));
    mkeep_gguf_free(same);
    mkeep_error *error = NULL;
    mkeep_parse_error fault = {.size = sizeof fault};
    gguf = NULL;
    CHECK(mkeep_gguf_from_bytes(bytes, len - 1, NULL, &gguf, &error) == MKEEP_STATUS_INVALID_GGUF);
    CHECK(!gguf && mkeep_error_parse_error(error, &fault));
    mkeep_error_free(error);
    CHECK(mkeep_gguf_from_bytes(NULL, 0, NULL, &gguf, NULL) == MKEEP_STATUS_INVALID_GGUF);
    CHECK(mkeep_gguf_from_bytes(NULL, 9, NULL, &gguf, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    const mkeep_gguf_options header = {.size = sizeof header, .header_only = 1};
    DONE(mkeep_gguf_from_bytes(bytes, len - 1, &header, &gguf, error));
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor) && !tensor.data);
    mkeep_gguf_free(gguf);
    mkeep_parts *parts = NULL;
    DONE(mkeep_parts_open(fixture, NULL, &parts, error));
    CHECK(mkeep_parts_parameter_count(parts) == 40 && mkeep_parts_parameter_count(NULL) == 0);
    mkeep_parts_free(parts);
}

/* A file is edited into another one and in place, and what is wrong is said. */
static void a_file_is_edited(void) {
    char to[600];
    snprintf(to, sizeof to, "%s/edited.gguf", directory);
    mkeep_gguf *gguf = NULL;
    mkeep_value value;
    const mkeep_gguf_change changes[] = {
        {.key = "general.name", .value = "Edited"},
        {.key = "llama.context_length", .value = "64", .value_type = "u64"},
        {.key = "general.file_type"},
        {.key = "general.architecture", .name = "architecture"},
    };
    DONE(mkeep_gguf_edit(fixture, to, changes, 4, NULL, error));
    DONE(mkeep_gguf_open(to, NULL, &gguf, error));
    CHECK(mkeep_gguf_find(gguf, "architecture", &value));
    CHECK(!mkeep_gguf_find(gguf, "general.file_type", &value));
    CHECK(mkeep_gguf_tensor_count(gguf) == 2);
    mkeep_gguf_free(gguf);
    CHECK(mkeep_gguf_edit(fixture, to, changes, 4, NULL, NULL) == MKEEP_STATUS_ALREADY_EXISTS);
    const mkeep_gguf_edit_options replace = {.size = sizeof replace, .replace = 1};
    DONE(mkeep_gguf_edit(fixture, to, changes, 4, &replace, error));
    const mkeep_gguf_change same_length = {.key = "general.name", .value = "edited"};
    DONE(mkeep_gguf_edit(to, NULL, &same_length, 1, NULL, error));
    const mkeep_gguf_change missing = {.key = "nope"}, both = {.key = "a", .value = "b", .name = "c"};
    CHECK(mkeep_gguf_edit(to, NULL, &missing, 1, NULL, NULL) == MKEEP_STATUS_NOT_FOUND);
    CHECK(mkeep_gguf_edit(to, NULL, &both, 1, NULL, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(mkeep_gguf_edit(to, NULL, NULL, 1, NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    const mkeep_gguf_edit_options reserved = {.size = sizeof reserved, .reserved = {1}};
    CHECK(mkeep_gguf_edit(to, NULL, &same_length, 1, &reserved, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    int calls = 0;
    mkeep_gguf_edit_options watched = {.size = sizeof watched, .replace = 1, .user = &calls};
    watched.progress = go_on;
    DONE(mkeep_gguf_edit(fixture, to, changes, 4, &watched, error));
    CHECK(calls >= 2);
    watched.progress = stop;
    CHECK(mkeep_gguf_edit(fixture, to, changes, 4, &watched, NULL) == MKEEP_STATUS_CANCELLED);
}

/* Tensors become numbers, and are hashed and compared; what cannot be is said. */
static void tensors_are_numbers(void) {
    mkeep_gguf *gguf = NULL, *edited = NULL, *header = NULL;
    DONE(mkeep_gguf_open(fixture, NULL, &gguf, error));
    float numbers[8], expected[8];
    mkeep_tensor tensor = {.size = sizeof tensor};
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor) && tensor.n_bytes == sizeof expected);
    if (tensor.data) memcpy(expected, tensor.data, sizeof expected);
    DONE(mkeep_gguf_dequantize(gguf, 1, 0, 1, numbers, 8, error));
    CHECK(!memcmp(numbers, expected, sizeof numbers));
    CHECK(mkeep_gguf_dequantize(gguf, 1, 0, 1, numbers, 7, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(mkeep_gguf_dequantize(gguf, 1, 1, 1, numbers, 8, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(mkeep_gguf_dequantize(gguf, 2, 0, 1, numbers, 8, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    const mkeep_gguf_options unmapped = {.size = sizeof unmapped, .no_mmap = 1};
    DONE(mkeep_gguf_open(fixture, &unmapped, &header, error));
    memset(numbers, 0, sizeof numbers);
    DONE(mkeep_gguf_dequantize(header, 1, 0, 1, numbers, 8, error));
    CHECK(!memcmp(numbers, expected, sizeof numbers));

    mkeep_string *json = NULL;
    bool is_equal = false;
    DONE(mkeep_gguf_hash_json(gguf, NULL, &json, error));
    CHECK(has(json, "\"name\":\"token_embd.weight\""));
    mkeep_gguf_hash_options how = {.size = sizeof how, .no_sha256 = 1, .no_tensors = 1};
    DONE(mkeep_gguf_hash_json(gguf, &how, &json, error));
    CHECK(has(json, "\"sha256\":null,"));
    how.progress = stop;
    CHECK(mkeep_gguf_hash_json(gguf, &how, &json, NULL) == MKEEP_STATUS_CANCELLED);
    DONE(mkeep_gguf_hash_json(header, NULL, &json, error));
    CHECK(has(json, "\"name\":\"token_embd.weight\""));
    DONE(mkeep_gguf_diff_json(gguf, gguf, NULL, &is_equal, &json, error));
    CHECK(is_equal && has(json, "\"equal_tensors\":2"));
    char to[600];
    snprintf(to, sizeof to, "%s/other.gguf", directory);
    const mkeep_gguf_change change = {.key = "general.name", .value = "Other"};
    DONE(mkeep_gguf_edit(fixture, to, &change, 1, NULL, error));
    DONE(mkeep_gguf_open(to, NULL, &edited, error));
    DONE(mkeep_gguf_diff_json(gguf, edited, NULL, &is_equal, &json, error));
    CHECK(!is_equal && has(json, "\"key\":\"general.name\""));
    mkeep_gguf_diff_options watched = {.size = sizeof watched, .progress = stop};
    CHECK(mkeep_gguf_diff_json(gguf, edited, &watched, &is_equal, &json, NULL) ==
          MKEEP_STATUS_CANCELLED);
    mkeep_gguf_free(header);
    mkeep_gguf_free(edited);
    mkeep_gguf_free(gguf);
}

/* A file is split, and its parts are merged; either can be watched and stopped. */
static void a_file_is_split_and_merged(mkeep_store *store) {
    char prefix[600], part[640], to[600];
    snprintf(prefix, sizeof prefix, "%s/part", directory);
    snprintf(part, sizeof part, "%s-00002-of-00002.gguf", prefix);
    snprintf(to, sizeof to, "%s/merged.gguf", directory);
    size_t count = 0;
    int calls = 0;
    mkeep_gguf_split_options split = {.size = sizeof split, .max_tensors = 1, .user = &calls};
    split.progress = go_on;
    DONE(mkeep_gguf_split(fixture, prefix, &split, &count, error));
    CHECK(count == 2 && calls >= 2);
    CHECK(mkeep_gguf_split(fixture, prefix, &split, NULL, NULL) == MKEEP_STATUS_ALREADY_EXISTS);
    split.replace = 1;
    DONE(mkeep_gguf_split(fixture, prefix, &split, NULL, error));
    split.progress = stop;
    CHECK(mkeep_gguf_split(fixture, prefix, &split, NULL, NULL) == MKEEP_STATUS_CANCELLED);
    CHECK(mkeep_gguf_split(fixture, prefix, NULL, NULL, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(mkeep_gguf_split(NULL, prefix, &split, NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);

    mkeep_gguf_edit_options merge = {.size = sizeof merge, .user = &calls, .progress = stop};
    CHECK(mkeep_gguf_merge(part, to, &merge, NULL) == MKEEP_STATUS_CANCELLED);
    DONE(mkeep_gguf_merge(part, to, NULL, error));
    CHECK(mkeep_gguf_merge(part, to, NULL, NULL) == MKEEP_STATUS_ALREADY_EXISTS);
    CHECK(mkeep_gguf_merge(fixture, to, NULL, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    mkeep_gguf *whole = NULL, *merged = NULL;
    DONE(mkeep_gguf_open(fixture, NULL, &whole, error));
    DONE(mkeep_gguf_open(to, NULL, &merged, error));
    mkeep_string *json = NULL;
    bool is_equal = false;
    DONE(mkeep_gguf_diff_json(whole, merged, NULL, &is_equal, &json, error));
    CHECK(has(json, "\"equal_tensors\":2"));
    mkeep_gguf_free(whole);
    mkeep_gguf_free(merged);

    /* Any part brings the model into the store, where it shares its tensors with the whole one. */
    DONE(mkeep_store_import(store, part, "split", NULL, NULL, error));
    DONE(mkeep_store_import(store, fixture, "whole", NULL, NULL, error));
    const char *const names[] = {"split", "whole"};
    mkeep_shared_options shared = {.size = sizeof shared};
    DONE(mkeep_store_shared_tensors_json(store, names, 2, &shared, &json, error));
    CHECK(has(json, "\"repeated\":160"));
    shared.progress = stop;
    CHECK(mkeep_store_shared_tensors_json(store, NULL, 0, &shared, &json, NULL) ==
          MKEEP_STATUS_CANCELLED);
    const char *const missing[] = {"none"};
    CHECK(mkeep_store_shared_tensors_json(store, missing, 1, NULL, &json, NULL) ==
          MKEEP_STATUS_NOT_FOUND);
    DONE(mkeep_store_delete(store, "split", NULL, error));
    DONE(mkeep_store_delete(store, "whole", NULL, error));
}

/* A file is written of what the program has, and reads back as that. */
static void a_file_is_written(void) {
    char to[600];
    snprintf(to, sizeof to, "%s/written.gguf", directory);
    mkeep_gguf_writer *writer = NULL;
    mkeep_gguf *gguf = NULL, *other = NULL;
    mkeep_value value = {.type = MKEEP_VALUE_TYPE_U8, .u = 200};
    const mkeep_gguf_writer_options options = {.size = sizeof options, .alignment = 64};
    DONE(mkeep_gguf_writer_new(&options, &writer, error));
    DONE(mkeep_gguf_writer_set_str(writer, "general.architecture", "llama", error));
    DONE(mkeep_gguf_writer_set(writer, "x.u8", &value, error));
    value.u = 300;
    CHECK(mkeep_gguf_writer_set(writer, "x.u8", &value, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    value.type = 99;
    CHECK(mkeep_gguf_writer_set(writer, "x.u8", &value, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    const int32_t numbers[] = {-1, 2, 3};
    DONE(mkeep_gguf_writer_set_array(writer, "x.numbers", MKEEP_VALUE_TYPE_I32, numbers, 3, error));
    CHECK(mkeep_gguf_writer_set_array(writer, "x", MKEEP_VALUE_TYPE_STR, numbers, 3, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    const char *const words[] = {"hello", "", "world"};
    DONE(mkeep_gguf_writer_set_strs(writer, "x.words", words, 3, error));
    /* A value of another file, an array among them. */
    DONE(mkeep_gguf_open(fixture, NULL, &other, error));
    CHECK(mkeep_gguf_find(other, "general.name", &value));
    DONE(mkeep_gguf_writer_set(writer, "x.name", &value, error));
    mkeep_gguf_free(other);
    float data[64];
    for (int i = 0; i < 64; i++) data[i] = (float)i;
    const uint64_t dims[] = {32, 2};
    DONE(mkeep_gguf_writer_tensor(writer, "w", dims, 2, 0, data, sizeof data, error));
    CHECK(mkeep_gguf_writer_tensor(writer, "v", dims, 2, 9999, data, sizeof data, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    mkeep_gguf_edit_options how = {.size = sizeof how, .progress = stop};
    CHECK(mkeep_gguf_writer_write(writer, to, &how, NULL) == MKEEP_STATUS_CANCELLED);
    int calls = 0;
    how.progress = go_on;
    how.user = &calls;
    DONE(mkeep_gguf_writer_write(writer, to, &how, error));
    CHECK(calls >= 2);
    CHECK(mkeep_gguf_writer_write(writer, to, NULL, NULL) == MKEEP_STATUS_ALREADY_EXISTS);

    mkeep_tensor tensor = {.size = sizeof tensor};
    DONE(mkeep_gguf_open(to, NULL, &gguf, error));
    CHECK(mkeep_gguf_alignment(gguf) == 64 && mkeep_gguf_count(gguf) == 6);
    CHECK(mkeep_gguf_find(gguf, "x.u8", &value) && value.u == 200);
    CHECK(mkeep_gguf_find(gguf, "x.name", &value) && is(value.str, "Tiny"));
    CHECK(mkeep_gguf_find(gguf, "x.numbers", &value) && value.array.count == 3);
    const mkeep_array array = value.array;
    CHECK(mkeep_array_get(&array, 0, &value) && value.i == -1);
    CHECK(mkeep_gguf_find(gguf, "x.words", &value) && value.array.count == 3);
    const mkeep_array strings = value.array;
    CHECK(mkeep_array_get(&strings, 2, &value) && is(value.str, "world"));
    CHECK(mkeep_gguf_tensor(gguf, 0, &tensor) && tensor.n_bytes == sizeof data);
    CHECK(tensor.data && !memcmp(tensor.data, data, sizeof data));
    mkeep_gguf_free(gguf);

    /* Data of another size than the shape's are written by nobody. */
    DONE(mkeep_gguf_writer_tensor(writer, "short", dims, 2, 0, data, 8, error));
    snprintf(to, sizeof to, "%s/short.gguf", directory);
    CHECK(mkeep_gguf_writer_write(writer, to, NULL, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(mkeep_gguf_open(to, NULL, &gguf, NULL) == MKEEP_STATUS_FILE_NOT_FOUND);
    mkeep_gguf_writer_free(writer);
    mkeep_gguf_writer_free(NULL);
}

static void the_types_of_tensors_are_listed(void) {
    mkeep_tensor_type type = {.size = sizeof type};
    size_t count = 0, dequantizable = 0;
    for (; mkeep_tensor_type_get(count, &type); count++) {
        CHECK(type.block_elements > 0 && type.block_bytes > 0 && type.name.len > 0);
        dequantizable += type.is_dequantizable;
        if (is(type.name, "Q6_K")) CHECK(type.code == 14 && type.block_bytes == 210);
    }
    CHECK(count > 20 && dequantizable > 10 && dequantizable < count);
    CHECK(!mkeep_tensor_type_get(SIZE_MAX, &type));
}

/* A model is edited into another one, which keeps all else; a cancelled edit leaves none. */
static void a_model_is_edited(mkeep_store *store) {
    const mkeep_gguf_change change = {.key = "general.name", .value = "Edited"};
    mkeep_imported *imported = NULL;
    int calls = 0;
    mkeep_gguf_edit_options options = {.size = sizeof options, .user = &calls};
    options.progress = stop;
    CHECK(mkeep_store_edit(store, "tiny", "edited", &change, 1, &options, NULL, NULL) ==
          MKEEP_STATUS_CANCELLED);
    CHECK(mkeep_store_delete(store, "edited", NULL, NULL) == MKEEP_STATUS_NOT_FOUND);
    options.progress = go_on;
    DONE(mkeep_store_edit(store, "tiny", "edited", &change, 1, &options, &imported, error));
    CHECK(calls >= 2 && is(mkeep_imported_name(imported), "edited:latest"));
    CHECK(!mkeep_imported_is_replacement(imported));
    mkeep_imported_free(imported);
    mkeep_string *path = NULL;
    DONE(mkeep_store_path(store, "edited", &path, error));
    mkeep_gguf *gguf = NULL;
    mkeep_value value;
    DONE(mkeep_gguf_open(mkeep_string_c(path), NULL, &gguf, error));
    CHECK(mkeep_gguf_find(gguf, "general.name", &value) && is(value.str, "Edited"));
    mkeep_gguf_free(gguf);
    mkeep_string_free(path);
    CHECK(mkeep_store_edit(store, "tiny", "edited", &change, 1, NULL, NULL, NULL) ==
          MKEEP_STATUS_ALREADY_EXISTS);
    options.replace = 1;
    DONE(mkeep_store_edit(store, "tiny", "edited", &change, 1, &options, NULL, error));
    CHECK(mkeep_store_edit(store, "nope", "new", &change, 1, NULL, NULL, NULL) ==
          MKEEP_STATUS_NOT_FOUND);
    const mkeep_gguf_change missing = {.key = "nope"};
    CHECK(mkeep_store_edit(store, "tiny", "new", &missing, 1, NULL, NULL, NULL) ==
          MKEEP_STATUS_NOT_FOUND);
    DONE(mkeep_store_delete(store, "edited", NULL, error));
}

/* A model whose weights are the fixture with something after it, and with a tensor of a type to
 * come. */
static void a_report_has_warnings_and_what_is_not_supported(mkeep_store *store) {
    static struct stream blobs[2];
    const mkeep_verify_options options = {.size = sizeof options, .gguf = 1, .use_cache = 1};
    const char *name = "odd";
    mkeep_string *digests[2] = {NULL, NULL};
    char manifest[1024];
    FILE *file = fopen(fixture, "rb");
    blobs[0].len = file ? fread(blobs[0].bytes, 1, 1024, file) : 0;
    if (file) fclose(file);
    memcpy(blobs[1].bytes, blobs[0].bytes, blobs[0].len);
    blobs[1].len = blobs[0].len;
    memcpy(blobs[0].bytes + blobs[0].len, "more", 4);
    blobs[0].len += 4;
    const char name_of_last[] = "output_norm.weight";
    size_t type = 0;
    while (memcmp(blobs[1].bytes + type, name_of_last, sizeof name_of_last - 1)) type++;
    type += sizeof name_of_last - 1 + 4 + 8;
    blobs[1].bytes[type] = 99;
    for (size_t i = 0; i < 2; i++)
        DONE(mkeep_store_add_blob(store, get, &blobs[i], NULL, &digests[i], error));
    snprintf(manifest, sizeof manifest,
             "{\"config\":{\"digest\":\"%s\",\"size\":%zu},\"layers\":["
             "{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"%s\",\"size\":%zu},"
             "{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"%s\",\"size\":%zu}]}",
             mkeep_string_c(digests[0]), blobs[0].len, mkeep_string_c(digests[0]), blobs[0].len,
             mkeep_string_c(digests[1]), blobs[1].len);
    CHECK(!mkdir(at("manifests/registry.ollama.ai/library/odd"), 0777));
    write_bytes(at("manifests/registry.ollama.ai/library/odd/latest"), manifest, strlen(manifest));
    for (int run = 0; run < 2; run++) {
        mkeep_report *report = NULL;
        mkeep_finding blob = {.size = sizeof blob};
        mkeep_parse_error reason = {.size = sizeof reason};
        mkeep_warning warning = {.size = sizeof warning};
        DONE(mkeep_store_verify(store, &name, 1, &options, &report, error));
#ifdef _WIN32
        // Nothing says there who may write to the record.
        CHECK(mkeep_report_cache_error(report).len > 0);
#else
        CHECK(is(mkeep_report_cache_error(report), ""));
#endif
        CHECK(mkeep_report_count(report) == 2);
        for (size_t i = 0; mkeep_report_get(report, i, &blob); i++) {
            const bool is_first = is(blob.digest, mkeep_string_c(digests[0]));
            CHECK(mkeep_report_warning(report, i, 0, &warning) && warning.message.len > 0);
            CHECK(is(warning.code, "trailing_bytes") == is_first);
            CHECK(mkeep_report_unsupported(report, i, &reason) == !is_first);
            CHECK(is_first || (is(reason.code, "bad_tensor_type") && reason.offset == type));
        }
        CHECK(!mkeep_report_warning(report, 2, 0, &warning));
        CHECK(!mkeep_report_unsupported(report, 2, &reason));
        CHECK(mkeep_report_cached_blobs(report) <= 2 && mkeep_report_cached_blobs(NULL) == 0);
        mkeep_report_free(report);
    }
    mkeep_string_free(digests[0]);
    mkeep_string_free(digests[1]);
    DONE(mkeep_store_delete(store, "odd", NULL, error));
}

static void old_names_alone_can_go(mkeep_store *store) {
    mkeep_string *path = NULL;
    mkeep_maintained *maintained = NULL;
    mkeep_str text;
    char old[4096];
    DONE(mkeep_store_path(store, "tiny", &path, error));
    snprintf(old, sizeof old, "%s", mkeep_string_c(path));
    old[strlen(old) - 65] = ':';
    CHECK(!rename(mkeep_string_c(path), old));
    DONE(mkeep_store_rename_old_blobs(store, &maintained, error));
    CHECK(mkeep_maintained_renamed(maintained, 0, &text) && is(text, mkeep_string_c(path)));
    CHECK(!mkeep_collected_blob(mkeep_maintained_collected(maintained), 0, &text));
    mkeep_maintained_free(maintained);
    DONE(mkeep_store_rename_old_blobs(store, NULL, error));
    mkeep_string_free(path);
}

static void people_read_sizes_and_counts(void) {
    CHECK(!strcmp(mkeep_human_size(0).text, "0 B"));
    CHECK(!strcmp(mkeep_human_size(2019393189).text, "2.02 GB"));
    CHECK(!strcmp(mkeep_human_size(UINT64_MAX).text, "18.45 EB"));
    CHECK(!strcmp(mkeep_human_number(8030261248).text, "8.0B"));
    CHECK(strlen(mkeep_human_number(UINT64_MAX).text) < sizeof(mkeep_human));
}

static void clients_get_what_they_ask_for(mkeep_store *store) {
    static const struct {
        uint32_t endpoint;
        const char *body, *expected;
        uint16_t status;
    } requests[] = {{MKEEP_ENDPOINT_VERSION, "", "{\"version\":\"", 200},
                    {MKEEP_ENDPOINT_PS, "", "{\"models\":[]", 200},
                    {MKEEP_ENDPOINT_MODELS, "", "\"id\":\"tiny:latest\"", 200},
                    {MKEEP_ENDPOINT_MODEL, "tiny", "\"id\":\"tiny", 200},
                    {MKEEP_ENDPOINT_MODEL, "nope", "not found", 404},
                    {99, "", "no such call", 404}};
    mkeep_string *response = NULL;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const uint8_t *body = (const uint8_t *)requests[i].body;
        uint16_t status = 0;
        DONE(mkeep_store_handle_request(store, requests[i].endpoint, body, strlen(requests[i].body),
                                        &status, &response, error));
        CHECK(status == requests[i].status && has(response, requests[i].expected));
    }
    uint16_t status = 7;
    CHECK(mkeep_store_handle_request(store, MKEEP_ENDPOINT_MODEL, (const uint8_t *)"\xff", 1,
                                     &status, &response, NULL) == MKEEP_STATUS_INVALID_UTF8);
    CHECK(status == 7);
}

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    fixture = argv[1];
    directory = argv[2];
    mkeep_store *store = make_store(directory);
    DONE(mkeep_store_import(store, fixture, "tiny", NULL, NULL, error));
    a_copy_replaces_as_it_is_asked(store);
    a_model_is_edited(store);
    a_delete_can_be_tried(store);
    a_store_is_opened_as_asked();
    models_travel_through_streams(store);
    loose_downloads_become_a_model(store);
    a_file_is_imported_as_what_it_is(store);
    a_config_has_what_it_says(store);
    a_file_is_read_at_offsets();
    a_file_is_read_from_memory();
    a_file_is_edited();
    tensors_are_numbers();
    a_file_is_split_and_merged(store);
    a_file_is_written();
    the_types_of_tensors_are_listed();
    a_report_has_warnings_and_what_is_not_supported(store);
    old_names_alone_can_go(store);
    people_read_sizes_and_counts();
    clients_get_what_they_ask_for(store);
    mkeep_store_free(store);
    puts(failed ? "failed" : "calls do as they are asked");
    return failed > 0;
}
