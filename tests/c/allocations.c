/* What reads a handle allocates nothing: every such function is called, under a count of what is
 * allocated.
 *   allocations REGISTRY FIXTURE DIRECTORY
 * At REGISTRY a store is served that has `tiny`.
 */
#include "check.h"

#include <stdlib.h>

/* The allocator of glibc under its other names; ours take the places of those that all call. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static _Thread_local size_t allocations;

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    allocations++;
    return __libc_realloc(old, size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
    allocations++;
    *place = __libc_memalign(alignment, size);
    return *place ? 0 : 12;
}

void *aligned_alloc(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}

/* Runs a call that reads a handle, twice: the first is as quiet as the second. */
#define QUIET(call)                                                                                \
    do {                                                                                           \
        for (int run = 0; run < 2; run++) {                                                        \
            const size_t before = allocations;                                                     \
            (void)(call);                                                                          \
            if (allocations != before) {                                                           \
                fprintf(stderr, "%s:%d: %s allocates %zu times\n", __FILE__, __LINE__, #call,      \
                        allocations - before);                                                     \
                failed++;                                                                          \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* A struct of a type that states its size. */
#define SIZED(type, name) type name = {.size = sizeof name}

static const char *fixture;
static mkeep_str str;

static void a_list(mkeep_store *store) {
    mkeep_list *list = NULL;
    const mkeep_list_options options = {.size = sizeof options, .check_blobs = 1};
    SIZED(mkeep_summary, line);
    SIZED(mkeep_incomplete_blob, blob);
    SIZED(mkeep_problem, problem);
    DONE(mkeep_store_list(store, &options, &list, error));
    QUIET(mkeep_store_root(store));
    QUIET(mkeep_store_roots(store, 0, &str));
    QUIET(mkeep_list_count(list));
    QUIET(mkeep_list_get(list, 0, &line));
    QUIET(mkeep_list_family(list, 0, 0, &str));
    QUIET(mkeep_list_capability(list, 0, 0, &str));
    QUIET(mkeep_list_incomplete(list, 0, 0, &blob));
    QUIET(mkeep_list_problem(list, 0, &problem));
    mkeep_list_free(list);
}

static void a_model(mkeep_store *store) {
    mkeep_model *model = NULL;
    mkeep_config *config = NULL;
    SIZED(mkeep_layer, layer);
    SIZED(mkeep_config_facts, facts);
    DONE(mkeep_store_model(store, "tiny", &model, error));
    DONE(mkeep_model_config(model, &config, error));
    QUIET(mkeep_model_name(model));
    QUIET(mkeep_model_digest(model));
    QUIET(mkeep_model_size(model));
    QUIET(mkeep_model_modified(model));
    QUIET(mkeep_model_layer_count(model));
    QUIET(mkeep_model_layer(model, 0, &layer));
    QUIET(mkeep_config_get(config, &facts));
    QUIET(mkeep_config_family(config, 0, &str));
    QUIET(mkeep_config_capability(config, 0, &str));
    mkeep_config_free(config);
    mkeep_model_free(model);
}

static void a_show(mkeep_store *store) {
    mkeep_show *show = NULL;
    mkeep_value value;
    SIZED(mkeep_details, details);
    SIZED(mkeep_parameter, parameter);
    SIZED(mkeep_shown_message, message);
    SIZED(mkeep_shown_tensor, tensor);
    DONE(mkeep_store_show(store, "tiny", NULL, &show, error));
    QUIET(mkeep_show_template(show));
    QUIET(mkeep_show_system(show));
    QUIET(mkeep_show_modelfile(show));
    QUIET(mkeep_show_details(show, &details));
    QUIET(mkeep_show_family(show, 0, &str));
    QUIET(mkeep_show_capability(show, 0, &str));
    QUIET(mkeep_show_license(show, 0, &str));
    QUIET(mkeep_show_parameter(show, 0, &parameter));
    QUIET(mkeep_show_message(show, 0, &message));
    QUIET(mkeep_show_info(show, 0, &str, &value));
    QUIET(mkeep_show_projector_info(show, 0, &str, &value));
    QUIET(mkeep_show_find_info(show, "llama.context_length", &value));
    QUIET(mkeep_show_tensor(show, 0, &tensor));
    mkeep_show_free(show);
}

static void a_file(void) {
    mkeep_gguf *gguf = NULL;
    mkeep_parts *parts = NULL;
    mkeep_value value, element;
    size_t at = 0, part = 0;
    SIZED(mkeep_tensor, tensor);
    SIZED(mkeep_tensor_type, type);
    SIZED(mkeep_warning, warning);
    DONE(mkeep_gguf_open(fixture, NULL, &gguf, error));
    DONE(mkeep_parts_open(fixture, NULL, &parts, error));
    QUIET(mkeep_gguf_version(gguf));
    QUIET(mkeep_gguf_is_big_endian(gguf));
    QUIET(mkeep_gguf_size(gguf));
    QUIET(mkeep_gguf_alignment(gguf));
    QUIET(mkeep_gguf_data_offset(gguf));
    QUIET(mkeep_gguf_header_size(gguf));
    QUIET(mkeep_gguf_file_type(gguf));
    QUIET(mkeep_gguf_warning_count(gguf));
    QUIET(mkeep_gguf_warning(gguf, 0, &warning));
    QUIET(mkeep_gguf_parameter_count(gguf));
    QUIET(mkeep_gguf_count(gguf));
    QUIET(mkeep_gguf_get(gguf, 0, &str, &value));
    QUIET(mkeep_gguf_tensor_count(gguf));
    QUIET(mkeep_gguf_tensor(gguf, 0, &tensor));
    QUIET(mkeep_tensor_type_get(0, &type));
    QUIET(mkeep_gguf_find(gguf, "tokenizer.ggml.tokens", &value));
    QUIET(mkeep_array_get(&value.array, 3, &element));
    QUIET(mkeep_array_next_str(&value.array, &at, &str));
    QUIET(mkeep_parts_count(parts));
    QUIET(mkeep_parts_tensor_count(parts));
    QUIET(mkeep_parts_parameter_count(parts));
    QUIET(mkeep_parts_tensor(parts, 0, &part, &tensor));
    mkeep_parts_free(parts);
    mkeep_gguf_free(gguf);
}

static void what_is_found(mkeep_store *store) {
    mkeep_report *report = NULL;
    mkeep_repaired *repaired = NULL;
    mkeep_usage *usage = NULL;
    mkeep_diagnosis *diagnosis = NULL;
    mkeep_uses *uses = NULL;
    SIZED(mkeep_finding, finding);
    SIZED(mkeep_parse_error, fault);
    SIZED(mkeep_warning, warning);
    SIZED(mkeep_broken_model, broken);
    SIZED(mkeep_problem, problem);
    SIZED(mkeep_moved_blob, moved);
    SIZED(mkeep_totals, sums);
    SIZED(mkeep_model_usage, model);
    SIZED(mkeep_location, location);
    SIZED(mkeep_issue, issue);
    SIZED(mkeep_use, use);
    DONE(mkeep_store_verify(store, NULL, 0, NULL, &report, error));
    QUIET(mkeep_report_is_ok(report));
    QUIET(mkeep_report_count(report));
    QUIET(mkeep_report_hashed_bytes(report));
    QUIET(mkeep_report_cached_bytes(report));
    QUIET(mkeep_report_cached_blobs(report));
    QUIET(mkeep_report_cache_error(report));
    QUIET(mkeep_report_get(report, 0, &finding));
    QUIET(mkeep_report_model(report, 0, 0, &str));
    QUIET(mkeep_report_parse_error(report, 0, &fault));
    QUIET(mkeep_report_unsupported(report, 0, &fault));
    QUIET(mkeep_report_warning(report, 0, 0, &warning));
    QUIET(mkeep_report_broken_model(report, 0, &broken));
    QUIET(mkeep_report_problem(report, 0, &problem));
    DONE(mkeep_store_repair(store, report, NULL, &repaired, error));
    QUIET(mkeep_repaired_quarantined(repaired, 0, &moved));
    QUIET(mkeep_repaired_renamed(repaired, 0, &moved));
    QUIET(mkeep_repaired_changed(repaired, 0, &str));
    QUIET(mkeep_repaired_restored(repaired, 0, &str));
    DONE(mkeep_store_usage(store, &usage, error));
    QUIET(mkeep_usage_totals(usage, &sums));
    QUIET(mkeep_usage_model(usage, 0, &model));
    QUIET(mkeep_usage_problem(usage, 0, &problem));
    DONE(mkeep_store_doctor(store, &diagnosis, error));
    QUIET(mkeep_diagnosis_is_ok(diagnosis));
    QUIET(mkeep_diagnosis_blobs(diagnosis));
    QUIET(mkeep_diagnosis_verified(diagnosis));
    QUIET(mkeep_diagnosis_location(diagnosis, 0, &location));
    QUIET(mkeep_diagnosis_issue(diagnosis, 0, &issue));
    QUIET(mkeep_diagnosis_note(diagnosis, 0, &issue));
    DONE(mkeep_store_which(store, fixture, &uses, error));
    QUIET(mkeep_uses_get(uses, 0, &use));
    QUIET(mkeep_uses_problem(uses, 0, &problem));
    mkeep_uses_free(uses);
    mkeep_diagnosis_free(diagnosis);
    mkeep_usage_free(usage);
    mkeep_repaired_free(repaired);
    mkeep_report_free(report);
}

static void what_travels(mkeep_store *store, const char *directory) {
    const char *names[] = {"tiny"};
    char to[4096];
    mkeep_exported *exported = NULL;
    mkeep_imported_archive *archive = NULL;
    SIZED(mkeep_archived_model, model);
    mkeep_linked *linked = NULL;
    mkeep_link_report *links = NULL;
    SIZED(mkeep_link, link);
    SIZED(mkeep_checked_link, checked);
    snprintf(to, sizeof to, "%s/links", directory);
    DONE(mkeep_store_link(store, "tiny", to, NULL, &linked, error));
    QUIET(mkeep_linked_get(linked, 0, &link));
    QUIET(mkeep_linked_left_out(linked, 0, &str));
    QUIET(mkeep_linked_not_remembered(linked));
    DONE(mkeep_store_check_links(store, NULL, 0, &links, error));
    QUIET(mkeep_link_report_is_ok(links));
    QUIET(mkeep_link_report_get(links, 0, &checked));
    mkeep_link_report_free(links);
    mkeep_linked_free(linked);
    snprintf(to, sizeof to, "%s/models.tar", directory);
    DONE(mkeep_store_export(store, names, 1, to, NULL, &exported, error));
    QUIET(mkeep_exported_model(exported, 0, &str));
    QUIET(mkeep_exported_blobs(exported));
    QUIET(mkeep_exported_bytes(exported));
    DONE(mkeep_store_import_archive(store, to, NULL, &archive, error));
    QUIET(mkeep_imported_archive_model(archive, 0, &model));
    QUIET(mkeep_imported_archive_new_blobs(archive));
    QUIET(mkeep_imported_archive_new_bytes(archive));
    QUIET(mkeep_imported_archive_shared_blobs(archive));
    mkeep_imported_archive_free(archive);
    mkeep_exported_free(exported);
}

static void what_is_done(mkeep_store *store) {
    mkeep_copied *copied = NULL;
    mkeep_deleted *deleted = NULL;
    mkeep_maintained *maintained = NULL;
    SIZED(mkeep_failure, failure);
    SIZED(mkeep_shared_blob, shared);
    SIZED(mkeep_alias, alias);
    SIZED(mkeep_problem, problem);
    DONE(mkeep_store_copy_with(store, "tiny", "copy", NULL, &copied, error));
    QUIET(mkeep_copied_from(copied));
    QUIET(mkeep_copied_to(copied));
    QUIET(mkeep_copied_is_replacement(copied));
    DONE(mkeep_store_delete(store, "copy", &deleted, error));
    QUIET(mkeep_deleted_is_dry_run(deleted));
    QUIET(mkeep_deleted_bytes(deleted));
    QUIET(mkeep_deleted_model(deleted, 0, &str));
    QUIET(mkeep_deleted_failure(deleted, 0, &failure));
    QUIET(mkeep_deleted_blob(deleted, 0, &str));
    QUIET(mkeep_deleted_restored(deleted, 0, &str));
    QUIET(mkeep_deleted_shared(deleted, 0, &shared));
    QUIET(mkeep_deleted_shared_model(deleted, 0, 0, &str));
    QUIET(mkeep_deleted_alias(deleted, 0, &alias));
    QUIET(mkeep_deleted_kept(deleted, 0, &problem));
    DONE(mkeep_store_maintain(store, NULL, &maintained, error));
    const mkeep_collected *collected = mkeep_maintained_collected(maintained);
    QUIET(mkeep_maintained_collected(maintained));
    QUIET(mkeep_maintained_renamed(maintained, 0, &str));
    QUIET(mkeep_collected_is_dry_run(collected));
    QUIET(mkeep_collected_bytes(collected));
    QUIET(mkeep_collected_young(collected));
    QUIET(mkeep_collected_blob(collected, 0, &str));
    QUIET(mkeep_collected_partial(collected, 0, &str));
    QUIET(mkeep_collected_leftover(collected, 0, &str));
    QUIET(mkeep_collected_restored(collected, 0, &str));
    QUIET(mkeep_collected_kept(collected, 0, &str));
    mkeep_maintained_free(maintained);
    mkeep_deleted_free(deleted);
    mkeep_copied_free(copied);
}

static void an_import_and_an_error(mkeep_store *store) {
    mkeep_imported *imported = NULL;
    mkeep_error *error = NULL;
    mkeep_string *path = NULL;
    SIZED(mkeep_file_warning, warning);
    SIZED(mkeep_parse_error, fault);
    const char *licenses[] = {"MIT"}, *projectors[] = {fixture};
    const mkeep_message messages[] = {{"user", "hi"}};
    const mkeep_import_options options = {
        .size = sizeof options,
        .system = "Be brief.",
        .parameters = "{\"stop\":[\"a\"]}",
        .licenses = licenses,
        .n_licenses = 1,
        .projectors = projectors,
        .n_projectors = 1,
        .messages = messages,
        .n_messages = 1,
    };
    DONE(mkeep_store_import(store, fixture, "tiny", &options, &imported, error));
    QUIET(mkeep_imported_name(imported));
    QUIET(mkeep_imported_digest(imported));
    QUIET(mkeep_imported_bytes(imported));
    QUIET(mkeep_imported_is_replacement(imported));
    QUIET(mkeep_imported_ignored(imported, 0, &str));
    QUIET(mkeep_imported_warning(imported, 0, &warning));
    DONE(mkeep_store_path(store, "tiny", &path, error));
    QUIET(mkeep_string_str(path));
    QUIET(mkeep_string_c(path));
    CHECK(mkeep_store_path(store, "tiny:7b", &path, &error) == MKEEP_STATUS_NOT_FOUND);
    QUIET(mkeep_error_status(error));
    QUIET(mkeep_error_message(error));
    QUIET(mkeep_error_http_status(error));
    QUIET(mkeep_error_os(error));
    QUIET(mkeep_error_path(error));
    QUIET(mkeep_error_suggestion(error, 0, &str));
    QUIET(mkeep_error_parse_error(error, &fault));
    mkeep_error_free(error);
    mkeep_string_free(path);
    mkeep_imported_free(imported);
    QUIET(mkeep_abi_version());
    QUIET(mkeep_version());
}

static void what_a_registry_has(mkeep_store *store, const char *registry) {
    mkeep_remote_list *list = NULL;
    mkeep_pulled *pulled = NULL;
    mkeep_pushed *pushed = NULL;
    SIZED(mkeep_pulled_facts, facts);
    SIZED(mkeep_pushed_facts, sent);
    char reference[256];
    CHECK(mkeep_has_registry());
    QUIET(mkeep_has_registry());
    DONE(mkeep_ls_remote(registry, NULL, &list, error));
    CHECK(mkeep_remote_list_get(list, 0, &str));
    QUIET(mkeep_remote_list_get(list, 0, &str));
    snprintf(reference, sizeof reference, "%.*s", (int)str.len, str.ptr);
    DONE(mkeep_store_pull(store, reference, "pulled", NULL, &pulled, error));
    QUIET(mkeep_pulled_get(pulled, &facts));
    /* It is read-only to its clients: what a push did, nobody knows here. */
    CHECK(mkeep_store_push(store, "pulled", reference, NULL, &pushed, NULL) && !pushed);
    QUIET(mkeep_pushed_get(pushed, &sent));
    mkeep_remote_list_free(list);
    mkeep_pulled_free(pulled);
}

int main(int argc, char *argv[]) {
    if (argc != 4) return 2;
    const char *registry = argv[1];
    argv++;
    fixture = argv[1];
    mkeep_store *store = make_store(argv[2]);
    const size_t before = allocations;
    an_import_and_an_error(store);
    /* The calls of the library are counted at all. */
    CHECK(allocations > before + 10);
    a_list(store);
    a_model(store);
    a_show(store);
    a_file();
    what_is_found(store);
    what_travels(store, argv[2]);
    what_is_done(store);
    what_a_registry_has(store, registry);
    mkeep_store_free(store);
    puts(failed ? "failed" : "what reads a handle allocates nothing");
    return failed > 0;
}
