/* Models leave a store as an archive, and come back to another one.
 *   archives FIXTURE DIRECTORY
 */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

static void an_export_says_what_it_wrote(mkeep_store *store) {
    const char *names[] = {"tiny", "again"};
    int calls = 0;
    const mkeep_export_options options = {
        .size = sizeof options, .progress = go_on, .user = &calls};
    mkeep_exported *exported = NULL;
    mkeep_string *json = NULL;
    mkeep_str name;
    DONE(mkeep_store_export(store, names, 2, at("models.tar"), &options, &exported, error));
    CHECK(mkeep_exported_model(exported, 0, &name) && is(name, "again:latest"));
    CHECK(mkeep_exported_model(exported, 1, &name) && is(name, "tiny:latest"));
    CHECK(!mkeep_exported_model(exported, 2, &name) && calls > 1);
    CHECK(mkeep_exported_blobs(exported) == 2 && mkeep_exported_bytes(exported) > 736);
    DONE(mkeep_exported_json(exported, &json, error));
    CHECK(has(json, "{\"models\":[\"again:latest\",\"tiny:latest\"],\"blobs\":2,"));
    mkeep_exported_free(exported);
    DONE(mkeep_store_export(store, names, 1, at("layout"), NULL, NULL, error));
    CHECK(!access(at("layout/index.json"), R_OK));
}

static void a_link_is_made_checked_and_forgotten(mkeep_store *store) {
    const mkeep_link_options options = {.size = sizeof options, .mode = MKEEP_LINK_MODE_HARD_LINK};
    const char *paths[] = {at("links")};
    mkeep_linked *linked = NULL;
    mkeep_link_report *report = NULL;
    mkeep_string *json = NULL;
    mkeep_link link = {.size = sizeof link};
    mkeep_checked_link checked = {.size = sizeof checked};
    DONE(mkeep_store_link(store, "tiny", at("links"), &options, &linked, error));
    CHECK(mkeep_linked_get(linked, 0, &link) && leads(link.path, "/links/tiny.gguf"));
    CHECK(link.mode == MKEEP_LINK_MODE_HARD_LINK && link.file_size == 736);
    CHECK(!link.is_replacement && !link.is_unchanged && !mkeep_linked_get(linked, 1, &link));
    CHECK(is(mkeep_linked_not_remembered(linked), ""));
    mkeep_str kind;
    CHECK(!mkeep_linked_left_out(linked, 0, &kind));
    DONE(mkeep_linked_json(linked, &json, error));
    CHECK(has(json, "\"mode\":\"hardlink\""));
    mkeep_linked_free(linked);
    DONE(mkeep_store_check_links(store, NULL, 0, &report, error));
    CHECK(mkeep_link_report_is_ok(report));
    mkeep_link_report_free(report);
    CHECK(!unlink(at("links/tiny.gguf")));
    DONE(mkeep_store_check_links(store, paths, 1, &report, error));
    CHECK(!mkeep_link_report_is_ok(report) && mkeep_link_report_get(report, 0, &checked));
    CHECK(checked.state == MKEEP_LINK_STATE_MISSING && is(checked.name, "tiny:latest"));
    CHECK(contains(checked.advice, "modelkeep link tiny:latest"));
    DONE(mkeep_link_report_json(report, &json, error));
    CHECK(has(json, "\"state\":\"missing\""));
    mkeep_link_report_free(report);
    DONE(mkeep_store_forget_links(store, paths, 1, error));
    const mkeep_link_options odd = {.size = sizeof odd, .mode = 9};
    CHECK(mkeep_store_link(store, "tiny", at("links"), &odd, NULL, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    mkeep_linked_free(NULL);
    mkeep_link_report_free(NULL);
}

static void nothing_is_written_over_and_what_is_stopped_leaves_nothing(mkeep_store *store) {
    const char *names[] = {"tiny"};
    const char *unknown[] = {"nope"};
    mkeep_export_options options = {.size = sizeof options};
    const char *file = at("models.tar");
    CHECK(mkeep_store_export(store, names, 1, file, &options, NULL, NULL) ==
          MKEEP_STATUS_ALREADY_EXISTS);
    options.replace = 1;
    DONE(mkeep_store_export(store, names, 1, file, &options, NULL, error));
    CHECK(mkeep_store_export(store, unknown, 1, file, &options, NULL, NULL) ==
          MKEEP_STATUS_NOT_FOUND);
    CHECK(mkeep_store_export(store, names, 0, file, &options, NULL, NULL) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(mkeep_store_export(store, names, 1, NULL, &options, NULL, NULL) ==
          MKEEP_STATUS_NULL_ARGUMENT);
    options.progress = stop;
    CHECK(mkeep_store_export(store, names, 1, at("none.tar"), &options, NULL, NULL) ==
          MKEEP_STATUS_CANCELLED);
    CHECK(access(at("none.tar"), F_OK) == -1);
}

static void an_archive_comes_back(const char *form) {
    mkeep_store *other = make_store(at(form[0] == 'l' ? "from-layout" : "from-tar"));
    mkeep_imported_archive *imported = NULL;
    mkeep_archived_model model = {.size = sizeof model};
    mkeep_string *json = NULL;
    int calls = 0;
    mkeep_import_archive_options options = {.size = sizeof options, .progress = stop};
    CHECK(mkeep_store_import_archive(other, at(form), &options, NULL, NULL) ==
          MKEEP_STATUS_CANCELLED);
    options.progress = go_on;
    options.user = &calls;
    DONE(mkeep_store_import_archive(other, at(form), &options, &imported, error));
    CHECK(mkeep_imported_archive_model(imported, 0, &model) && is(model.name, "tiny:latest"));
    CHECK(!model.replaced && !mkeep_imported_archive_model(imported, 1, &model) && calls > 1);
    CHECK(mkeep_imported_archive_new_blobs(imported) == 2);
    CHECK(mkeep_imported_archive_new_bytes(imported) > 736);
    CHECK(mkeep_imported_archive_shared_blobs(imported) == 0);
    mkeep_imported_archive_free(imported);
    options.name = "named:x";
    options.replace = 1;
    DONE(mkeep_store_import_archive(other, at(form), &options, &imported, error));
    CHECK(mkeep_imported_archive_shared_blobs(imported) == 2);
    DONE(mkeep_imported_archive_json(imported, &json, error));
    CHECK(has(json, "{\"models\":[{\"name\":\"named:x\",\"replaced\":false}],\"new_blobs\":0,"));
    mkeep_imported_archive_free(imported);
    options.name = "../x";
    CHECK(mkeep_store_import_archive(other, at(form), &options, NULL, NULL) ==
          MKEEP_STATUS_INVALID_NAME);
    mkeep_store_free(other);
}

static void what_is_no_archive_is_refused(mkeep_store *store, const char *fixture) {
    mkeep_error *error = NULL;
    CHECK(mkeep_store_import_archive(store, fixture, NULL, NULL, &error) == MKEEP_STATUS_CORRUPT);
    CHECK(contains(mkeep_error_message(error), "importing "));
    mkeep_error_free(error);
    CHECK(mkeep_store_import_archive(store, at("absent.tar"), NULL, NULL, NULL) ==
          MKEEP_STATUS_FILE_NOT_FOUND);
    mkeep_imported_archive_free(NULL);
    mkeep_exported_free(NULL);
    CHECK(!mkeep_exported_blobs(NULL) && !mkeep_imported_archive_new_bytes(NULL));
}

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    directory = argv[2];
    mkeep_store *store = make_store(at("store"));
    DONE(mkeep_store_import(store, argv[1], "tiny", NULL, NULL, error));
    DONE(mkeep_store_copy(store, "tiny", "again", error));
    an_export_says_what_it_wrote(store);
    a_link_is_made_checked_and_forgotten(store);
    nothing_is_written_over_and_what_is_stopped_leaves_nothing(store);
    an_archive_comes_back("models.tar");
    an_archive_comes_back("layout");
    what_is_no_archive_is_refused(store, argv[1]);
    mkeep_store_free(store);
    puts(failed ? "failed" : "models travel");
    return failed > 0;
}
