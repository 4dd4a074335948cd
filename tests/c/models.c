/* Models and blobs: what they are made of, and how they come and go.
 *   models FIXTURE DIRECTORY
 */
#include "check.h"

static const char *fixture;

static void a_model_is_all_that_was_imported(mkeep_store *store) {
    const char *licenses[] = {"MIT", "Apache-2.0"}, *projectors[] = {fixture};
    const mkeep_message messages[] = {{"user", "hi"}, {"assistant", "hello"}};
    mkeep_import_options options = {0};
    options.size = sizeof options;
    options.copy_mode = MKEEP_COPY_MODE_COPY;
    options.go_template = "{{ .System }} {{ .Prompt }}";
    options.system = "Be brief.";
    options.parameters = "{\"temperature\":0.5,\"stop\":[\"</s>\"]}";
    options.licenses = licenses;
    options.n_licenses = 2;
    options.projectors = projectors;
    options.n_projectors = 1;
    options.messages = messages;
    options.n_messages = 2;
    mkeep_imported *imported = NULL;
    DONE(mkeep_store_import(store, fixture, "full", &options, &imported, error));
    CHECK(is(mkeep_imported_name(imported), "full:latest"));
    CHECK(mkeep_imported_digest(imported).len == 71 && mkeep_imported_bytes(imported) > 32);
    mkeep_str none;
    mkeep_file_warning warning = {.size = sizeof warning};
    CHECK(!mkeep_imported_is_replacement(imported) && !mkeep_imported_ignored(imported, 0, &none));
    CHECK(!mkeep_imported_warning(imported, 0, &warning));
    mkeep_string *json = NULL;
    DONE(mkeep_imported_json(imported, &json, error));
    CHECK(contains(mkeep_string_str(json), "\"name\":\"full:latest\""));
    mkeep_string_free(json);
    mkeep_imported_free(imported);

    mkeep_model *model = NULL;
    DONE(mkeep_store_model(store, "FULL", &model, error));
    CHECK(is(mkeep_model_name(model), "full:latest") && mkeep_model_digest(model).len == 64);
    CHECK(mkeep_model_modified(model) > 0 && mkeep_model_size(model) > 0);
    static const char *const kinds[] = {"model",   "projector", "template", "system", "license",
                                        "license", "params",    "messages", "config"};
    int64_t size = 0;
    mkeep_layer layer = {.size = sizeof layer};
    CHECK(mkeep_model_layer_count(model) == sizeof kinds / sizeof *kinds);
    for (size_t i = 0; mkeep_model_layer(model, i, &layer); i++) {
        CHECK(is(layer.kind, kinds[i]) && layer.digest.len == 71);
        FILE *blob = fopen(layer.path.ptr, "rb");
        CHECK(blob && !fseek(blob, 0, SEEK_END) && ftell(blob) == layer.n_bytes);
        if (blob) fclose(blob);
        size += layer.n_bytes;
    }
    CHECK(size == mkeep_model_size(model));

    mkeep_string *path = NULL, *shown = NULL, *again = NULL;
    mkeep_gguf *gguf = NULL;
    DONE(mkeep_model_path(model, &path, error));
    CHECK(mkeep_model_layer(model, 0, &layer) && is(mkeep_string_str(path), layer.path.ptr));
    mkeep_string_free(path);
    DONE(mkeep_model_gguf(model, &gguf, error));
    mkeep_show *show = NULL;
    const mkeep_show_options verbose = {.size = sizeof verbose, .verbose = 1};
    DONE(mkeep_model_show(model, &verbose, &show, error));
    DONE(mkeep_show_json(show, &shown, error));
    mkeep_show_free(show);
    DONE(mkeep_store_show_json(store, "full", &verbose, &again, error));
    CHECK(!strcmp(mkeep_string_c(shown), mkeep_string_c(again)));
    CHECK(strstr(mkeep_string_c(shown), "\"system\":\"Be brief.\"") &&
          strstr(mkeep_string_c(shown), "temperature"));
    mkeep_model_free(model);
    mkeep_string_free(again);
    CHECK(contains(mkeep_string_str(shown), "\"content\":\"hello\""));
    mkeep_string_free(shown);
    CHECK(mkeep_gguf_count(gguf) == 9);
    mkeep_gguf_free(gguf);
}

static mkeep_status import_with(mkeep_store *store, mkeep_import_options options) {
    options.size = sizeof options;
    mkeep_imported *imported = NULL;
    const mkeep_status status =
        mkeep_store_import(store, fixture, "bad", &options, &imported, NULL);
    CHECK(imported == NULL);
    return status;
}

static void options_that_make_no_sense_are_refused(mkeep_store *store) {
    mkeep_import_options options = {0};
    options.parameters = "[1]";
    CHECK(import_with(store, options) == MKEEP_STATUS_INVALID_ARGUMENT);
    options.parameters = NULL;
    options.copy_mode = 9;
    CHECK(import_with(store, options) == MKEEP_STATUS_INVALID_ARGUMENT);
    options.copy_mode = MKEEP_COPY_MODE_AUTO;
    options.n_licenses = 1;
    CHECK(import_with(store, options) == MKEEP_STATUS_NULL_ARGUMENT);
    options.n_licenses = 0;
    options.go_template = "{{ if }}";
    CHECK(import_with(store, options) == MKEEP_STATUS_INVALID_TEMPLATE);
}

static void a_modelfile_says_what_a_model_is_made_from(mkeep_store *store, const char *directory) {
    char path[4096];
    snprintf(path, sizeof path, "%s/Modelfile", directory);
    FILE *file = fopen(path, "wb");
    CHECK(file && fputs("FROM full\nSYSTEM \"two\nlines\"\nPARAMETER low_vram 1\n", file) >= 0);
    if (file) fclose(file);
    mkeep_imported *imported = NULL;
    mkeep_string *shown = NULL;
    mkeep_str ignored;
    DONE(mkeep_store_import_modelfile(store, path, "made", NULL, &imported, error));
    CHECK(mkeep_imported_ignored(imported, 0, &ignored) && is(ignored, "low_vram"));
    CHECK(!mkeep_imported_ignored(imported, 1, &ignored));
    DONE(mkeep_store_show_json(store, "made", NULL, &shown, error));
    CHECK(shown && strstr(mkeep_string_c(shown), "\"system\":\"two\\nlines\""));
    mkeep_imported_free(imported);
    mkeep_string_free(shown);
    CHECK(mkeep_store_import_modelfile(store, path, "made", NULL, NULL, NULL) ==
          MKEEP_STATUS_ALREADY_EXISTS);
    CHECK(mkeep_store_import_modelfile(store, fixture, "other", NULL, NULL, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    DONE(mkeep_store_delete(store, "made", NULL, error));
    CHECK(remove(path) == 0);
}

/* Options of a later release: what they ask for beyond ours must be nothing. */
static void later_options_are_taken_while_they_ask_for_nothing_new(const char *directory) {
    struct {
        mkeep_store_options known;
        uint64_t later;
    } options;
    memset(&options, 0, sizeof options);
    options.known.size = sizeof options;
    options.known.path = directory;
    mkeep_store *store = NULL;
    DONE(mkeep_store_open(&options.known, &store, error));
    CHECK(is(mkeep_store_root(store), directory));
    mkeep_store_free(store);
    options.later = 1;
    store = NULL;
    CHECK(mkeep_store_open(&options.known, &store, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(store == NULL);
}

struct stream {
    const char *text;
    bool fails;
};

static ptrdiff_t give(void *user, uint8_t *buffer, size_t len) {
    struct stream *stream = user;
    if (stream->fails) return -1;
    if (!*stream->text || len == 0) return 0;
    *buffer = (uint8_t)*stream->text++;
    return 1;
}

static void blobs_come_as_streams(mkeep_store *store) {
    /* SHA-256 of "abc": FIPS 180-4. */
    const char *abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct stream good = {"abc", false}, wrong = {"abd", false}, broken = {"", true};
    mkeep_string *digest = NULL, *path = NULL;
    bool found = true;
    DONE(mkeep_store_has_blob(store, abc, &found, error));
    CHECK(!found);
    CHECK(mkeep_store_add_blob(store, give, &wrong, abc, &digest, NULL) == MKEEP_STATUS_CORRUPT);
    CHECK(mkeep_store_add_blob(store, give, &broken, abc, NULL, NULL) == MKEEP_STATUS_IO);
    CHECK(mkeep_store_add_blob(store, NULL, NULL, abc, NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    DONE(mkeep_store_add_blob(store, give, &good, abc, &digest, error));
    CHECK(is(mkeep_string_str(digest), abc));
    DONE(mkeep_store_has_blob(store, abc, &found, error));
    DONE(mkeep_store_blob_path(store, abc, &path, error));
    FILE *blob = fopen(mkeep_string_c(path), "rb");
    char bytes[4] = "";
    CHECK(found && blob && fread(bytes, 1, sizeof bytes, blob) == 3 && !strcmp(bytes, "abc"));
    if (blob) fclose(blob);
    mkeep_string_free(digest);
    mkeep_string_free(path);
    CHECK(mkeep_store_has_blob(store, "md5:0", &found, NULL) == MKEEP_STATUS_INVALID_DIGEST);
}

static void a_store_that_is_read_only_stays(const char *directory) {
    mkeep_store *store = NULL;
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = directory;
    options.read_only = 1;
    DONE(mkeep_store_open(&options, &store, error));
    CHECK(mkeep_store_import(store, fixture, "no", NULL, NULL, NULL) ==
          MKEEP_STATUS_READ_ONLY);
    mkeep_store_free(store);
}

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    fixture = argv[1];
    mkeep_store *store = make_store(argv[2]);
    a_model_is_all_that_was_imported(store);
    options_that_make_no_sense_are_refused(store);
    a_modelfile_says_what_a_model_is_made_from(store, argv[2]);
    later_options_are_taken_while_they_ask_for_nothing_new(argv[2]);
    blobs_come_as_streams(store);
    mkeep_store_free(store);
    a_store_that_is_read_only_stays(argv[2]);
    puts(failed ? "failed" : "models and blobs come and go");
    return failed > 0;
}
