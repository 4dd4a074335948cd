/* What each call found and did, read by the typed getters.
 *   results FIXTURE DIRECTORY
 */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *fixture;

/* SHA-256 of "abc": FIPS 180-4. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    CHECK(file && fputs(text, file) >= 0);
    if (file) CHECK(!fclose(file));
}

/* Adds one byte to a file. */
static void damage(const char *path) {
    FILE *file = fopen(path, "ab");
    CHECK(file && fputc('x', file) == 'x');
    if (file) CHECK(!fclose(file));
}

static void import(mkeep_store *store, const char *name) {
    const char *licenses[] = {"MIT", "Apache-2.0"}, *projectors[] = {fixture};
    const mkeep_message messages[] = {{"user", "hi"}, {"assistant", "hello"}};
    const mkeep_import_options options = {
        .size = sizeof options,
        .go_template = "{{ .System }} {{ .Prompt }}{{ .Suffix }}",
        .system = "Be brief.",
        .parameters = "{\"temperature\":0.5,\"stop\":[\"</s>\",\"[\"],\"use_mmap\":true}",
        .required_release = "0.9.1",
        .licenses = licenses,
        .n_licenses = 2,
        .projectors = projectors,
        .n_projectors = 1,
        .messages = messages,
        .n_messages = 2,
    };
    DONE(mkeep_store_import(store, fixture, name, &options, NULL, error));
}

static void a_model_is_shown_by_typed_values(mkeep_store *store) {
    import(store, "full");
    mkeep_show *show = NULL;
    DONE(mkeep_store_show(store, "full", NULL, &show, error));
    CHECK(is(mkeep_show_template(show), "{{ .System }} {{ .Prompt }}{{ .Suffix }}"));
    CHECK(is(mkeep_show_system(show), "Be brief."));
    CHECK(contains(mkeep_show_modelfile(show), "PARAMETER temperature 0.5"));
    mkeep_details details = {.size = sizeof details};
    CHECK(mkeep_show_details(show, &details) && is(details.format, "gguf"));
    CHECK(is(details.family, "llama") && is(details.parameter_size, "40"));
    CHECK(is(details.quantization_level, "F16") && is(details.parent_model, ""));
    CHECK(is(details.remote_host, "") && is(details.remote_model, ""));
    CHECK(is(details.required_release, "0.9.1") && details.modified > 0);
    CHECK(details.context_length == 128 && details.embedding_length == 8);
    mkeep_str text;
    CHECK(mkeep_show_family(show, 0, &text) && is(text, "llama"));
    CHECK(!mkeep_show_family(show, 1, &text));
    static const char *const capabilities[] = {"completion", "vision", "insert"};
    size_t count = 0;
    for (; mkeep_show_capability(show, count, &text); count++)
        CHECK(count < 3 && is(text, capabilities[count]));
    CHECK(count == 3);
    CHECK(mkeep_show_license(show, 0, &text) && is(text, "MIT"));
    CHECK(mkeep_show_license(show, 1, &text) && is(text, "Apache-2.0"));
    CHECK(!mkeep_show_license(show, 2, &text));
    mkeep_shown_message message = {.size = sizeof message};
    CHECK(mkeep_show_message(show, 1, &message) && is(message.role, "assistant"));
    CHECK(is(message.content, "hello") && !mkeep_show_message(show, 2, &message));
    mkeep_show_free(show);
}

static void parameters_have_types(mkeep_store *store) {
    static const struct {
        const char *key, *text;
        uint32_t type;
        double number;
    } expected[] = {{"stop", "</s>", MKEEP_PARAMETER_TYPE_STRING, 0},
                    {"stop", "[", MKEEP_PARAMETER_TYPE_STRING, 0},
                    {"temperature", "0.5", MKEEP_PARAMETER_TYPE_NUMBER, 0.5},
                    {"use_mmap", "true", MKEEP_PARAMETER_TYPE_BOOL, 1}};
    mkeep_show *show = NULL;
    mkeep_model *model = NULL;
    DONE(mkeep_store_model(store, "full", &model, error));
    DONE(mkeep_model_show(model, NULL, &show, error));
    mkeep_model_free(model);
    mkeep_parameter found = {.size = sizeof found};
    size_t count = 0;
    for (; mkeep_show_parameter(show, count, &found); count++) {
        CHECK(count < 4 && is(found.key, expected[count].key));
        CHECK(is(found.text, expected[count].text) && found.type == expected[count].type);
        CHECK(found.number == expected[count].number);
    }
    CHECK(count == 4);
    mkeep_show_free(show);
}

static void what_is_shown_can_be_replaced(mkeep_store *store) {
    mkeep_show *show = NULL;
    mkeep_show_options options = {
        .size = sizeof options, .system = "Other.", .parameters = "{\"seed\":7}", .verbose = 1};
    DONE(mkeep_store_show(store, "full", &options, &show, error));
    CHECK(is(mkeep_show_system(show), "Other."));
    CHECK(contains(mkeep_show_modelfile(show), "PARAMETER seed 7"));
    mkeep_string *json = NULL;
    DONE(mkeep_show_json(show, &json, error));
    CHECK(has(json, "\"tokenizer.ggml.scores\":[0,-1,-2,-3.5]"));
    mkeep_show_free(show);
    options.parameters = "[7]";
    CHECK(mkeep_store_show(store, "full", &options, &show, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
}

static void metadata_and_tensors_are_had_by_key_and_by_place(mkeep_store *store) {
    mkeep_show *show = NULL;
    mkeep_str key;
    mkeep_value value, same;
    DONE(mkeep_store_show(store, "full", NULL, &show, error));
    size_t count = 0;
    for (; mkeep_show_info(show, count, &key, &value); count++)
        if (is(key, "tokenizer.ggml.scores")) CHECK(value.array.count == 4);
    CHECK(count == 9 && mkeep_show_info(show, 0, &key, &value) && is(key, "general.architecture"));
    CHECK(value.type == MKEEP_VALUE_TYPE_STR && is(value.str, "llama"));
    CHECK(mkeep_show_find_info(show, "general.architecture", &same));
    CHECK(same.str.ptr == value.str.ptr && !mkeep_show_find_info(show, "no.such.key", &same));
    CHECK(mkeep_show_find_info(show, "general.parameter_count", &value) && value.u == 40);
    CHECK(!mkeep_show_find_info(show, NULL, &value) && !mkeep_show_info(NULL, 0, &key, &value));
    CHECK(mkeep_show_projector_info(show, 0, &key, &value) && is(key, "general.architecture"));
    CHECK(!mkeep_show_projector_info(show, 99, &key, &value));
    mkeep_shown_tensor tensor = {.size = sizeof tensor};
    CHECK(mkeep_show_tensor(show, 0, &tensor) && is(tensor.name, "token_embd.weight"));
    CHECK(is(tensor.type_name, "F32") && tensor.n_dims == 2);
    CHECK(tensor.dims[0] == 8 && tensor.dims[1] == 4 && !mkeep_show_tensor(show, 2, &tensor));
    mkeep_show_free(show);
}

static void models_are_found_by_what_they_are_made_of(mkeep_store *store) {
    mkeep_list *list = NULL;
    mkeep_summary model = {.size = sizeof model};
    mkeep_string *string = NULL;
    mkeep_uses *uses = NULL;
    mkeep_use part = {.size = sizeof part};
    mkeep_problem problem = {.size = sizeof problem};
    DONE(mkeep_store_list(store, NULL, &list, error));
    CHECK(mkeep_list_get(list, 0, &model) && model.form == MKEEP_MANIFEST_FORM_MODEL);
    char id[13];
    snprintf(id, sizeof id, "%s", model.digest.ptr);
    DONE(mkeep_store_identify(store, id, &string, error));
    CHECK(is(mkeep_string_str(string), "full:latest"));
    mkeep_string_free(string);
    CHECK(mkeep_store_identify(store, "nope", &string, NULL) == MKEEP_STATUS_NOT_FOUND);
    DONE(mkeep_store_which(store, id, &uses, error));
    CHECK(mkeep_uses_get(uses, 0, &part) && is(part.name, "full:latest"));
    CHECK(is(part.kind, "manifest") && is(part.digest, model.digest.ptr));
    CHECK(!mkeep_uses_get(uses, 1, &part) && !mkeep_uses_problem(uses, 0, &problem));
    DONE(mkeep_uses_json(uses, &string, error));
    CHECK(has(string, "\"kind\":\"manifest\""));
    mkeep_uses_free(uses);
    mkeep_list_free(list);
    /* The fixture is the weights and the projector. */
    DONE(mkeep_store_which(store, fixture, &uses, error));
    CHECK(mkeep_uses_get(uses, 0, &part) && is(part.kind, "model") && part.digest.len == 71);
    CHECK(mkeep_uses_get(uses, 1, &part) && is(part.kind, "projector"));
    mkeep_uses_free(uses);
    uses = NULL;
    CHECK(mkeep_store_which(store, "/no/such", &uses, NULL) == MKEEP_STATUS_FILE_NOT_FOUND);
    CHECK(!uses);
}

static void a_model_gets_another_name(mkeep_store *store) {
    mkeep_model *model = NULL;
    DONE(mkeep_store_copy(store, "full", "old", error));
    CHECK(mkeep_store_rename(store, "old", "full", NULL) == MKEEP_STATUS_ALREADY_EXISTS);
    DONE(mkeep_store_rename(store, "old", "new", error));
    CHECK(mkeep_store_model(store, "old", &model, NULL) == MKEEP_STATUS_NOT_FOUND);
    DONE(mkeep_store_delete(store, "new", NULL, error));
}

/* A manifest list of Docker is listed as what it is. */
static void a_list_names_the_form_of_each_manifest(mkeep_store *store) {
    CHECK(!mkdir(at("manifests/registry.ollama.ai/library/index"), 0777));
    write_file(at("manifests/registry.ollama.ai/library/index/latest"), "{\"manifests\":[]}");
    mkeep_list *list = NULL;
    mkeep_summary model = {.size = sizeof model};
    DONE(mkeep_store_list(store, NULL, &list, error));
    CHECK(mkeep_list_count(list) == 2 && mkeep_list_get(list, 0, &model));
    CHECK(is(model.name, "index:latest") && model.form == MKEEP_MANIFEST_FORM_INDEX);
    mkeep_list_free(list);
    DONE(mkeep_store_delete(store, "index", NULL, error));
}

static void a_store_that_cannot_be_opened_is_diagnosed(void) {
    mkeep_diagnosis *diagnosis = NULL;
    mkeep_issue issue = {.size = sizeof issue};
    mkeep_location place = {.size = sizeof place};
    mkeep_store_options options = {.size = sizeof options, .path = "/nonexistent/of/modelkeep"};
    DONE(mkeep_store_diagnose(&options, &diagnosis, error));
    CHECK(!mkeep_diagnosis_is_ok(diagnosis) && mkeep_diagnosis_issue(diagnosis, 0, &issue));
    CHECK(is(issue.path, options.path) && issue.advice.len > 0);
    CHECK(mkeep_diagnosis_location(diagnosis, 0, &place) && is(place.path, options.path));
    CHECK(place.state == MKEEP_LOCATION_STATE_MISSING && !place.is_opened);
    mkeep_diagnosis_free(diagnosis);
    options.path = directory;
    DONE(mkeep_store_diagnose(&options, &diagnosis, error));
    CHECK(mkeep_diagnosis_location(diagnosis, 0, &place) && place.is_opened);
    mkeep_diagnosis_free(diagnosis);
    CHECK(mkeep_store_diagnose(&options, NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
}

static void a_list_has_facts_and_problems(mkeep_store *store) {
    CHECK(!mkdir(at("manifests/registry.ollama.ai/library/broken"), 0777));
    write_file(at("manifests/registry.ollama.ai/library/broken/latest"), "{");
    mkeep_list *list = NULL;
    mkeep_summary model = {.size = sizeof model};
    mkeep_problem problem = {.size = sizeof problem};
    mkeep_str text;
    DONE(mkeep_store_list(store, NULL, &list, error));
    CHECK(mkeep_list_count(list) == 1 && mkeep_list_get(list, 0, &model));
    CHECK(is(model.name, "full:latest") && model.digest.len == 64 && is(model.format, "gguf"));
    CHECK(is(model.family, "llama") && is(model.quantization_level, "F16"));
    CHECK(is(model.parameter_size, "40") && is(model.alias_of, "") && is(model.remote_host, ""));
    CHECK(is(model.remote_model, "") && model.n_bytes > 0 && model.modified > 0);
    CHECK(model.context_length == 128 && model.embedding_length == 8);
    CHECK(mkeep_list_family(list, 0, 0, &text) && is(text, "llama"));
    CHECK(!mkeep_list_family(list, 0, 1, &text) && !mkeep_list_family(list, 1, 0, &text));
    CHECK(mkeep_list_capability(list, 0, 0, &text) && is(text, "completion"));
    CHECK(!mkeep_list_capability(list, 1, 0, &text));
    CHECK(mkeep_list_problem(list, 0, &problem) && problem.status == MKEEP_STATUS_CORRUPT);
    CHECK(is(problem.name, "broken:latest") && leads(problem.path, "library/broken/latest"));
    CHECK(contains(problem.message, "manifest") && !mkeep_list_problem(list, 1, &problem));
    mkeep_list_free(list);
    mkeep_string *json = NULL;
    DONE(mkeep_store_list_json(store, &json, error));
    CHECK(has(json, "{\"models\":[{\"name\":\"full:latest\","));
    mkeep_error *error = NULL;
    mkeep_deleted *deleted = NULL;
    CHECK(mkeep_store_delete(store, "full:7b", &deleted, &error) == MKEEP_STATUS_NOT_FOUND);
    CHECK(!deleted && mkeep_error_suggestion(error, 0, &text) && is(text, "full:latest"));
    CHECK(!mkeep_error_suggestion(error, 1, &text));
    mkeep_error_free(error);
}

/* While a manifest cannot be read, nobody knows what is in use. */
static void problems_keep_every_blob(mkeep_store *store) {
    mkeep_problem problem = {.size = sizeof problem};
    mkeep_deleted *deleted = NULL;
    mkeep_str text;
    DONE(mkeep_store_copy(store, "full", "short", error));
    DONE(mkeep_store_delete(store, "short", &deleted, error));
    CHECK(mkeep_deleted_model(deleted, 0, &text) && is(text, "short:latest"));
    CHECK(mkeep_deleted_kept(deleted, 0, &problem) && is(problem.name, "broken:latest"));
    CHECK(mkeep_deleted_bytes(deleted) == 0 && !mkeep_deleted_blob(deleted, 0, &text));
    mkeep_deleted_free(deleted);

    mkeep_collected *collected = NULL;
    CHECK(mkeep_store_gc(store, NULL, &collected, NULL) == MKEEP_STATUS_CORRUPT && !collected);
    mkeep_report *report = NULL;
    DONE(mkeep_store_verify(store, NULL, 0, NULL, &report, error));
    CHECK(mkeep_report_problem(report, 0, &problem) && !mkeep_report_is_ok(report));
    CHECK(is(problem.name, "broken:latest") && !mkeep_report_problem(report, 1, &problem));
    mkeep_report_free(report);
    mkeep_usage *usage = NULL;
    DONE(mkeep_store_usage(store, &usage, error));
    CHECK(mkeep_usage_problem(usage, 0, &problem) && is(problem.name, "broken:latest"));
    mkeep_usage_free(usage);
    mkeep_diagnosis *diagnosis = NULL;
    mkeep_issue issue = {.size = sizeof issue};
    DONE(mkeep_store_doctor(store, &diagnosis, error));
    CHECK(!mkeep_diagnosis_is_ok(diagnosis) && mkeep_diagnosis_issue(diagnosis, 0, &issue));
    CHECK(is(issue.name, "broken:latest") && leads(issue.path, "library/broken/latest"));
    CHECK(contains(issue.message, "manifest") && contains(issue.advice, "delete the model"));
    CHECK(!mkeep_diagnosis_issue(diagnosis, 1, &issue));
    mkeep_diagnosis_free(diagnosis);
    CHECK(!remove(at("manifests/registry.ollama.ai/library/broken/latest")));
}

static ptrdiff_t give(void *user, uint8_t *buffer, size_t len) {
    const char **rest = user;
    const size_t count = strlen(*rest) < len ? strlen(*rest) : len;
    memcpy(buffer, *rest, count);
    *rest += count;
    return (ptrdiff_t)count;
}

/* Adds a blob that no model uses. */
static void add(mkeep_store *store, const char *text) {
    DONE(mkeep_store_add_blob(store, give, &text, NULL, NULL, error));
}

static void a_usage_adds_up(mkeep_store *store) {
    DONE(mkeep_store_copy(store, "full", "second", error));
    add(store, "abc");
    mkeep_usage *usage = NULL;
    mkeep_totals sums = {.size = sizeof sums};
    mkeep_model_usage model = {.size = sizeof model};
    DONE(mkeep_store_usage(store, &usage, error));
    CHECK(mkeep_usage_totals(usage, &sums) && sums.used > 0);
    CHECK(sums.orphans.n_files == 1 && sums.orphans.n_bytes > 0 && sums.partials.n_files == 0);
    CHECK(sums.unknown.n_files == 0 && sums.staged.n_files == 0 && sums.trash.n_files == 0);
    CHECK(sums.quarantine.n_files == 0 && sums.other.n_files > 0 && sums.held_outside == 0);
    CHECK(sums.total == sums.used + sums.orphans.n_bytes + sums.other.n_bytes);
    CHECK(mkeep_usage_model(usage, 1, &model) && is(model.name, "second:latest"));
    CHECK(model.exclusive == 0 && model.shared == sums.used && model.n_missing == 0);
    CHECK(!mkeep_usage_model(usage, 2, &model));
    mkeep_string *json = NULL;
    DONE(mkeep_usage_json(usage, &json, error));
    CHECK(has(json, "\"orphans\":{\"files\":1,"));
    mkeep_usage_free(usage);
    DONE(mkeep_store_delete(store, "second", NULL, error));
}

static void a_diagnosis_has_places_and_notes(mkeep_store *store) {
    mkeep_report *report = NULL;
    const mkeep_verify_options cached = {.size = sizeof cached, .use_cache = 1};
    DONE(mkeep_store_verify(store, NULL, 0, &cached, &report, error));
    CHECK(mkeep_report_hashed_bytes(report) > 0 && mkeep_report_cached_bytes(report) == 0);
    mkeep_report_free(report);
    mkeep_diagnosis *diagnosis = NULL;
    mkeep_location place = {.size = sizeof place};
    mkeep_issue note = {.size = sizeof note};
    DONE(mkeep_store_doctor(store, &diagnosis, error));
    CHECK(mkeep_diagnosis_is_ok(diagnosis) && !mkeep_diagnosis_issue(diagnosis, 0, &note));
    CHECK(mkeep_diagnosis_location(diagnosis, 0, &place) && is(place.path, directory));
    CHECK(place.state == MKEEP_LOCATION_STATE_STORE && place.exists && place.is_opened);
    CHECK(place.n_manifests == 1 && is(place.message, ""));
    CHECK(mkeep_diagnosis_note(diagnosis, 0, &note) && contains(note.advice, "modelkeep gc"));
    CHECK(note.path.len > 0 && note.name.len == 0 && note.message.len > 0);
    CHECK(mkeep_diagnosis_blobs(diagnosis) == 8);
    CHECK(mkeep_diagnosis_verified(diagnosis) <= 8);
    mkeep_string *json = NULL;
    DONE(mkeep_diagnosis_json(diagnosis, &json, error));
    CHECK(has(json, "\"issues\":[]"));
    mkeep_diagnosis_free(diagnosis);
}

static void a_collection_names_what_goes(mkeep_store *store) {
    const char *partial = "blobs/sha256-" ABC "-partial";
    write_file(at(partial), "half");
    mkeep_collected *collected = NULL;
    mkeep_str text;
    mkeep_string *json = NULL;
    int calls = 0;
    mkeep_gc_options options = {.size = sizeof options, .dry_run = 1, .partials = 1};
    DONE(mkeep_store_gc(store, &options, &collected, error));
    CHECK(mkeep_collected_is_dry_run(collected) && mkeep_collected_young(collected) == 2);
    CHECK(mkeep_collected_bytes(collected) == 0 && !mkeep_collected_blob(collected, 0, &text));
    mkeep_collected_free(collected);
    options.no_grace = 1;
    options.dry_run = 0;
    options.progress = go_on;
    options.user = &calls;
    DONE(mkeep_store_gc(store, &options, &collected, error));
    CHECK(!mkeep_collected_is_dry_run(collected) && mkeep_collected_young(collected) == 0);
    CHECK(mkeep_collected_blob(collected, 0, &text) && is(text, "sha256:" ABC));
    CHECK(!mkeep_collected_blob(collected, 1, &text) && mkeep_collected_bytes(collected) > 0);
    CHECK(mkeep_collected_partial(collected, 0, &text) && leads(text, partial));
    CHECK(!mkeep_collected_leftover(collected, 0, &text) && calls > 0);
    CHECK(!mkeep_collected_restored(collected, 0, &text));
    CHECK(!mkeep_collected_kept(collected, 0, &text));
    DONE(mkeep_collected_json(collected, &json, error));
    CHECK(has(json, "\"blobs\":[\"sha256:" ABC "\"]"));
    mkeep_collected_free(collected);
}

/* The path of a model's only blob of a kind. */
static const char *blob_of(mkeep_store *store, const char *kind) {
    static char path[4096];
    mkeep_model *model = NULL;
    mkeep_layer layer = {.size = sizeof layer};
    DONE(mkeep_store_model(store, "full", &model, error));
    for (size_t i = 0; mkeep_model_layer(model, i, &layer); i++)
        if (is(layer.kind, kind)) snprintf(path, sizeof path, "%s", layer.path.ptr);
    mkeep_model_free(model);
    return path;
}

static mkeep_report *verified(mkeep_store *store) {
    mkeep_report *report = NULL;
    const mkeep_verify_options options = {.size = sizeof options, .gguf = 1};
    DONE(mkeep_store_verify(store, NULL, 0, &options, &report, error));
    return report;
}

static void a_report_says_what_each_model_lacks(mkeep_store *store) {
    damage(blob_of(store, "system"));
    mkeep_report *report = verified(store);
    mkeep_finding blob = {.size = sizeof blob};
    mkeep_broken_model model = {.size = sizeof model};
    mkeep_parse_error none = {.size = sizeof none};
    mkeep_str text;
    size_t wrong = 0;
    for (size_t i = 0; mkeep_report_get(report, i, &blob); i++) {
        CHECK(blob.digest.len == 71 && blob.n_bytes > 0);
        CHECK(blob.n_models == mkeep_report_model(report, i, 0, &text));
        CHECK(blob.n_models == 0 || is(text, "full:latest"));
        if (blob.status != MKEEP_BLOB_STATUS_OK) {
            CHECK(is(blob.path, blob_of(store, "system")) && !blob.is_intact);
            CHECK(blob.status == MKEEP_BLOB_STATUS_WRONG_SIZE && blob.detail.len > 0);
            wrong++;
        }
        CHECK(!mkeep_report_parse_error(report, i, &none));
    }
    CHECK(wrong == 1 && mkeep_report_count(report) == 8);
    CHECK(mkeep_report_broken_model(report, 0, &model) && is(model.name, "full:latest"));
    CHECK(model.reasons.len > 0 && !mkeep_report_broken_model(report, 1, &model));
    mkeep_string *json = NULL;
    DONE(mkeep_report_json(report, &json, error));
    CHECK(has(json, "\"wrong_size\""));
    mkeep_report_free(report);
}

/* A model whose weights have the right digest, and are not a GGUF file. */
static void a_report_has_what_the_strict_reader_says(mkeep_store *store) {
    const char *bytes = "GGUF, it says, and is none", *name = "strange";
    char manifest[512];
    mkeep_string *digest = NULL;
    DONE(mkeep_store_add_blob(store, give, &bytes, NULL, &digest, error));
    snprintf(manifest, sizeof manifest,
             "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":26},\"layers\":["
             "{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"%s\",\"size\":26}]}",
             mkeep_string_c(digest), mkeep_string_c(digest));
    mkeep_string_free(digest);
    CHECK(!mkdir(at("manifests/registry.ollama.ai/library/strange"), 0777));
    write_file(at("manifests/registry.ollama.ai/library/strange/latest"), manifest);
    mkeep_report *report = NULL;
    const mkeep_verify_options options = {.size = sizeof options, .gguf = 1};
    mkeep_parse_error refused = {.size = sizeof refused};
    mkeep_finding blob = {.size = sizeof blob};
    DONE(mkeep_store_verify(store, &name, 1, &options, &report, error));
    CHECK(mkeep_report_get(report, 0, &blob) && blob.status == MKEEP_BLOB_STATUS_OK);
    CHECK(mkeep_report_parse_error(report, 0, &refused) && is(refused.code, "bad_version"));
    CHECK(refused.offset == 4 && refused.message.len > 0 && is(refused.path, ""));
    CHECK(!mkeep_report_parse_error(report, 1, &refused) && !mkeep_report_is_ok(report));
    mkeep_report_free(report);
    DONE(mkeep_store_delete(store, "strange", NULL, error));
}

static void a_repair_names_what_it_moved(mkeep_store *store) {
    mkeep_repaired *repaired = NULL;
    mkeep_moved_blob blob = {.size = sizeof blob};
    mkeep_str text;
    mkeep_string *json = NULL;
    mkeep_report *old = verified(store);
    damage(blob_of(store, "system"));
    DONE(mkeep_store_repair(store, old, NULL, &repaired, error));
    CHECK(mkeep_repaired_changed(repaired, 0, &text) && text.len == 71);
    CHECK(!mkeep_repaired_quarantined(repaired, 0, &blob));
    mkeep_repaired_free(repaired);
    mkeep_report_free(old);

    /* One that is damaged, and one that has only the digits of its name. */
    char license[4096], misnamed[4096];
    snprintf(license, sizeof license, "%s", blob_of(store, "params"));
    snprintf(misnamed, sizeof misnamed, "%s", at("blobs/"));
    strcat(misnamed, license + strlen(license) - 64);
    CHECK(!rename(license, misnamed));
    mkeep_report *report = verified(store);
    int calls = 0;
    const mkeep_repair_options options = {
        .size = sizeof options, .progress = go_on, .user = &calls};
    DONE(mkeep_store_repair(store, report, &options, &repaired, error));
    CHECK(mkeep_repaired_quarantined(repaired, 0, &blob) && blob.digest.len == 71);
    CHECK(leads(blob.path, ".modelkeep/quarantine/"));
    CHECK(!mkeep_repaired_quarantined(repaired, 1, &blob));
    CHECK(mkeep_repaired_renamed(repaired, 0, &blob) && is(blob.path, license));
    CHECK(!mkeep_repaired_renamed(repaired, 1, &blob) && calls > 0);
    CHECK(!mkeep_repaired_changed(repaired, 0, &text));
    CHECK(!mkeep_repaired_restored(repaired, 0, &text));
    DONE(mkeep_repaired_json(repaired, &json, error));
    CHECK(has(json, "{\"quarantined\":[{\"digest\":\"sha256:"));
    mkeep_repaired_free(repaired);
    mkeep_report_free(report);
}

static void a_list_says_what_a_model_lacks(mkeep_store *store) {
    mkeep_list *list = NULL;
    mkeep_incomplete_blob blob = {.size = sizeof blob};
    const mkeep_list_options options = {.size = sizeof options, .check_blobs = 1};
    DONE(mkeep_store_list(store, NULL, &list, error));
    CHECK(!mkeep_list_incomplete(list, 0, 0, &blob));
    mkeep_list_free(list);
    DONE(mkeep_store_list(store, &options, &list, error));
    CHECK(mkeep_list_incomplete(list, 0, 0, &blob) && is(blob.path, blob_of(store, "system")));
    CHECK(blob.is_missing && blob.n_bytes == 0 && blob.n_stated_bytes == 9);
    CHECK(blob.digest.len == 71 && !mkeep_list_incomplete(list, 0, 1, &blob));
    mkeep_list_free(list);
}

static void maintenance_says_what_it_renamed_and_collected(mkeep_store *store) {
    char present[4096], old[4096];
    snprintf(present, sizeof present, "%s", blob_of(store, "params"));
    snprintf(old, sizeof old, "%s", present);
    *strstr(old, "sha256-") = 's';
    old[strlen(old) - 65] = ':';
    CHECK(!rename(present, old));
    mkeep_maintained *maintained = NULL;
    mkeep_str text;
    mkeep_string *json = NULL;
    mkeep_gc_options options = {
        .size = sizeof options, .no_grace = 1, .quarantine = 1, .dry_run = 1};
    add(store, "abc");
    DONE(mkeep_store_maintain(store, &options, &maintained, error));
    CHECK(mkeep_maintained_renamed(maintained, 0, &text) && is(text, present));
    CHECK(mkeep_collected_is_dry_run(mkeep_maintained_collected(maintained)));
    mkeep_maintained_free(maintained);
    options.dry_run = 0;
    DONE(mkeep_store_maintain(store, &options, &maintained, error));
    CHECK(mkeep_maintained_renamed(maintained, 0, &text) && is(text, present));
    CHECK(!mkeep_maintained_renamed(maintained, 1, &text));
    const mkeep_collected *collected = mkeep_maintained_collected(maintained);
    CHECK(mkeep_collected_leftover(collected, 0, &text) && leads(text, "/quarantine/"));
    CHECK(mkeep_collected_blob(collected, 0, &text) && mkeep_collected_bytes(collected) > 0);
    DONE(mkeep_maintained_json(maintained, &json, error));
    CHECK(has(json, "{\"renamed\":[\""));
    mkeep_maintained_free(maintained);
}

static void an_import_says_what_it_replaced_and_what_is_unusual(mkeep_store *store) {
    char unusual[4096], bytes[1024];
    snprintf(unusual, sizeof unusual, "%s", at("unusual.gguf"));
    FILE *from = fopen(fixture, "rb"), *to = fopen(unusual, "wb");
    const size_t count = from ? fread(bytes, 1, sizeof bytes, from) : 0;
    CHECK(to && count > 0 && fwrite(bytes, 1, count, to) == count && fputs("more", to) >= 0);
    if (from) fclose(from);
    if (to) fclose(to);
    mkeep_imported *imported = NULL;
    mkeep_file_warning warning = {.size = sizeof warning};
    const mkeep_import_options options = {.size = sizeof options, .replace = 255};
    DONE(mkeep_store_import(store, unusual, "full", &options, &imported, error));
    CHECK(mkeep_imported_is_replacement(imported) && mkeep_imported_bytes(imported) == count + 4);
    CHECK(is(mkeep_imported_name(imported), "full:latest"));
    CHECK(!strncmp(mkeep_imported_digest(imported).ptr, "sha256:", 7));
    CHECK(mkeep_imported_warning(imported, 0, &warning) && is(warning.code, "trailing_bytes"));
    CHECK(is(warning.file, unusual) && warning.message.len > 0 && is(warning.path, ""));
    CHECK(!mkeep_imported_warning(imported, 1, &warning));
    mkeep_imported_free(imported);
    CHECK(!remove(unusual));
}

/* Where links need no privilege. */
static void an_alias_is_told_apart(mkeep_store *store) {
#ifndef _WIN32
    CHECK(!symlink("second", at("manifests/registry.ollama.ai/library/alias")));
    mkeep_deleted *deleted = NULL;
    mkeep_alias alias = {.size = sizeof alias};
    DONE(mkeep_store_delete(store, "alias", &deleted, error));
    CHECK(mkeep_deleted_alias(deleted, 0, &alias) && is(alias.name, "alias:latest"));
    CHECK(is(alias.model, "second:latest") && leads(alias.link, "library/alias"));
    CHECK(!mkeep_deleted_alias(deleted, 1, &alias));
    mkeep_deleted_free(deleted);
#else
    (void)store;
#endif
}

static void a_delete_says_what_went_and_what_stays(mkeep_store *store) {
    import(store, "other");
    DONE(mkeep_store_copy(store, "other", "second", error));
    DONE(mkeep_store_copy(store, "other", "third", error));
    const char *names[] = {"second", "nope", "third"};
    mkeep_deleted *deleted = NULL;
    mkeep_str text;
    mkeep_failure failure = {.size = sizeof failure};
    mkeep_shared_blob blob = {.size = sizeof blob};
    mkeep_string *json = NULL;
    an_alias_is_told_apart(store);
    DONE(mkeep_store_delete_all(store, names, 3, &deleted, error));
    CHECK(mkeep_deleted_model(deleted, 0, &text) && is(text, "second:latest"));
    CHECK(mkeep_deleted_model(deleted, 1, &text) && is(text, "third:latest"));
    CHECK(!mkeep_deleted_model(deleted, 2, &text));
    CHECK(mkeep_deleted_failure(deleted, 0, &failure) && is(failure.name, "nope"));
    CHECK(failure.status == MKEEP_STATUS_NOT_FOUND);
    CHECK(is(failure.message, "model 'nope:latest' not found"));
    CHECK(!mkeep_deleted_failure(deleted, 1, &failure) && mkeep_deleted_bytes(deleted) == 0);
    CHECK(mkeep_deleted_shared(deleted, 0, &blob) && blob.digest.len == 71 && blob.n_bytes > 0);
    CHECK(blob.n_models == 1 && mkeep_deleted_shared_model(deleted, 0, 0, &text));
    CHECK(is(text, "other:latest") && !mkeep_deleted_shared_model(deleted, 0, 1, &text));
    CHECK(!mkeep_deleted_shared(deleted, 8, &blob) && !mkeep_deleted_restored(deleted, 0, &text));
    DONE(mkeep_deleted_json(deleted, &json, error));
    CHECK(has(json, "\"models\":[\"second:latest\",\"third:latest\"]"));
    mkeep_deleted_free(deleted);
    DONE(mkeep_store_delete(store, "other", &deleted, error));
    CHECK(mkeep_deleted_blob(deleted, 0, &text) && text.len == 71 && mkeep_deleted_bytes(deleted));
    mkeep_deleted_free(deleted);
}

#ifndef _WIN32
/* A directory whose name is no UTF-8: the getters have its bytes, and JSON cannot. */
static void paths_that_json_cannot_carry_are_had_by_getters(void) {
    char strange[4096];
    snprintf(strange, sizeof strange, "%s", at("caf\xe9"));
    mkeep_store *store = make_store(strange);
    DONE(mkeep_store_import(store, fixture, "tiny", NULL, NULL, error));
    mkeep_diagnosis *diagnosis = NULL;
    mkeep_location place = {.size = sizeof place};
    mkeep_string *json = NULL;
    DONE(mkeep_store_doctor(store, &diagnosis, error));
    CHECK(mkeep_diagnosis_location(diagnosis, 0, &place) && is(place.path, strange));
    CHECK(mkeep_diagnosis_json(diagnosis, &json, NULL) == MKEEP_STATUS_UNSUPPORTED && !json);
    mkeep_diagnosis_free(diagnosis);
    mkeep_store_free(store);
}
#else
/* There are no such names, and no such text is a path. */
static void paths_that_json_cannot_carry_are_had_by_getters(void) {
    mkeep_store *store = NULL;
    const mkeep_store_options options = {.size = sizeof options, .path = "caf\xe9", .create = 1};
    CHECK(mkeep_store_open(&options, &store, NULL) == MKEEP_STATUS_INVALID_UTF8 && !store);
}
#endif

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    fixture = argv[1];
    directory = argv[2];
    mkeep_store *store = make_store(directory);
    a_model_is_shown_by_typed_values(store);
    parameters_have_types(store);
    what_is_shown_can_be_replaced(store);
    metadata_and_tensors_are_had_by_key_and_by_place(store);
    models_are_found_by_what_they_are_made_of(store);
    a_model_gets_another_name(store);
    a_list_names_the_form_of_each_manifest(store);
    a_store_that_cannot_be_opened_is_diagnosed();
    a_list_has_facts_and_problems(store);
    problems_keep_every_blob(store);
    a_usage_adds_up(store);
    a_diagnosis_has_places_and_notes(store);
    a_collection_names_what_goes(store);
    a_report_says_what_each_model_lacks(store);
    a_report_has_what_the_strict_reader_says(store);
    a_repair_names_what_it_moved(store);
    a_list_says_what_a_model_lacks(store);
    maintenance_says_what_it_renamed_and_collected(store);
    an_import_says_what_it_replaced_and_what_is_unusual(store);
    a_delete_says_what_went_and_what_stays(store);
    mkeep_store_free(store);
    paths_that_json_cannot_carry_are_had_by_getters();
    puts(failed ? "failed" : "results are read by getters");
    return failed > 0;
}
