/* Handles among threads and across a fork, and ends in any order.
 *   threads FIXTURE DIRECTORY
 */
#include "check.h"

#include <pthread.h>
#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

enum { THREADS = 8, ROUNDS = 12 };

static mkeep_store *store;
static mkeep_gguf *shared;

/* Whether a call did what it is for; says why where it did not. */
static bool did(int line, mkeep_status status, mkeep_status also, mkeep_error *error) {
    bool done = status == MKEEP_STATUS_OK || status == also;
#ifdef _WIN32
    /* What another has open there is tried for a second. */
    done = done || status == MKEEP_STATUS_BUSY;
#endif
    if (!done) fprintf(stderr, "%s:%d: %s\n", __FILE__, line, mkeep_error_message(error).ptr);
    mkeep_error_free(error);
    return done;
}
#define DID_OR(call, also)                                                                         \
    (error = NULL, status = (call), did(__LINE__, status, (also), error))
#define DID(call) DID_OR(call, MKEEP_STATUS_OK)

/* Each thread has names of its own, and one that all of them fight for. */
static void *work(void *number) {
    char own[32];
    snprintf(own, sizeof own, "own%d", *(const int *)number);
    intptr_t wrong = 0;
    mkeep_status status;
    mkeep_error *error;
    for (int round = 0; round < ROUNDS; round++) {
        mkeep_gguf *gguf = mkeep_gguf_retain(shared);
        mkeep_value value;
        mkeep_list *list = NULL;
        mkeep_report *report = NULL;
        mkeep_string *json = NULL;
        const mkeep_verify_options strictly = {.size = sizeof strictly, .gguf = 1};
        wrong += !DID(mkeep_store_copy(store, "tiny", own, &error));
        wrong += !DID(mkeep_store_copy(store, "tiny", "common", &error));
        wrong += !DID(mkeep_store_list(store, NULL, &list, &error));
        wrong += mkeep_list_count(list) < 2;
        wrong += !DID(mkeep_store_show_json(store, own, NULL, &json, &error));
        const char *names[] = {own};
        wrong += !DID(mkeep_store_verify(store, names, 1, &strictly, &report, &error));
        wrong += !mkeep_report_is_ok(report);
        wrong += !mkeep_gguf_find(gguf, "llama.context_length", &value) || value.u != 128;
        wrong += !DID_OR(mkeep_store_delete(store, "common", NULL, &error), MKEEP_STATUS_NOT_FOUND);
        wrong += !DID(mkeep_store_delete(store, own, NULL, &error));
        mkeep_string_free(json);
        mkeep_report_free(report);
        mkeep_list_free(list);
        mkeep_gguf_free(gguf);
    }
    return (void *)wrong;
}

static void one_handle_serves_many_threads(void) {
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(!pthread_create(&threads[i], NULL, work, &numbers[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        CHECK(!pthread_join(threads[i], &wrong) && wrong == NULL);
    }
}

static bool works(void) {
    mkeep_report *report = NULL;
    mkeep_list *list = NULL;
    const bool done = mkeep_store_verify(store, NULL, 0, NULL, &report, NULL) == 0 &&
                      mkeep_report_is_ok(report) && mkeep_report_count(report) == 2 &&
                      mkeep_store_list(store, NULL, &list, NULL) == 0 &&
                      mkeep_list_count(list) == 1;
    mkeep_report_free(report);
    mkeep_list_free(list);
    return done;
}

#ifndef _WIN32
static bool a_child(bool (*lives)(void)) {
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        /* What the parent's threads held is lost in a child, on purpose; that another program takes
         * its place spares us the count. */
        if (lives()) execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool goes_on(void) {
    mkeep_value value;
    const bool copies = mkeep_store_copy(store, "tiny", "child", NULL) == 0 &&
                        mkeep_store_delete(store, "child", NULL, NULL) == 0;
    return copies && works() && mkeep_gguf_find(shared, "llama.context_length", &value);
}

static bool gives_up(void) {
    mkeep_gguf_free(shared);
    mkeep_store_free(store);
    return true;
}

static bool goes_on_and_gives_up(void) {
    return goes_on() && gives_up();
}

/* The threads of the parent's pool do not exist in the child, which makes its own. */
static void a_child_has_its_parents_handles(void) {
    CHECK(works());
    CHECK(a_child(goes_on) && a_child(gives_up) && a_child(goes_on_and_gives_up));
    CHECK(works());
}
#else
/* There are no such children. */
static void a_child_has_its_parents_handles(void) { CHECK(works()); }
#endif

static void ends_come_in_any_order(const char *fixture, const char *directory) {
    mkeep_store *own = make_store(directory);
    mkeep_model *model = NULL;
    mkeep_list *list = NULL;
    mkeep_report *report = NULL;
    mkeep_gguf *gguf = NULL, *held = NULL;
    mkeep_parts *parts = NULL;
    mkeep_error *error = NULL;
    mkeep_string *path = NULL;
    CHECK(!mkeep_store_model(own, "tiny", &model, NULL));
    CHECK(!mkeep_store_list(own, NULL, &list, NULL));
    CHECK(!mkeep_store_verify(own, NULL, 0, NULL, &report, NULL));
    CHECK(mkeep_store_path(own, "nope", &path, &error) == MKEEP_STATUS_NOT_FOUND);
    CHECK(!mkeep_parts_open(fixture, NULL, &parts, NULL));
    mkeep_store_free(own);
    CHECK(!mkeep_model_gguf(model, &gguf, NULL) && !mkeep_model_path(model, &path, NULL));
    mkeep_model_free(model);
    held = mkeep_gguf_retain(gguf);
    mkeep_gguf_free(gguf);
    gguf = mkeep_parts_gguf(parts, 0);
    mkeep_parts_free(parts);
    mkeep_summary summary = {.size = sizeof summary};
    mkeep_finding finding = {.size = sizeof finding};
    mkeep_tensor tensor = {.size = sizeof tensor};
    CHECK(mkeep_list_get(list, 0, &summary) && is(summary.name, "tiny:latest"));
    CHECK(mkeep_report_get(report, 0, &finding) && finding.is_intact);
    CHECK(finding.status == MKEEP_BLOB_STATUS_OK && finding.detail.len == 0);
    CHECK(mkeep_gguf_tensor(held, 1, &tensor) && tensor.data[31] == 31);
    CHECK(mkeep_gguf_tensor(gguf, 1, &tensor) && tensor.data[31] == 31);
    CHECK(is(mkeep_error_message(error), "model 'nope:latest' not found"));
    mkeep_error_free(error);
    mkeep_gguf_free(held);
    mkeep_list_free(list);
    mkeep_string_free(path);
    mkeep_gguf_free(gguf);
    mkeep_report_free(report);
}

enum { HANDLES = 32 };

/* What one handle changes, the others see, and they end in another order than they began. */
static void many_handles_serve_one_store(const char *directory) {
    mkeep_store *stores[HANDLES];
    char name[32];
    for (int i = 0; i < HANDLES; i++) {
        stores[i] = make_store(directory);
        snprintf(name, sizeof name, "handle%d", i);
        CHECK(!mkeep_store_copy(stores[i], "tiny", name, NULL));
    }
    for (int i = 0; i < HANDLES; i++) {
        mkeep_list *list = NULL;
        snprintf(name, sizeof name, "handle%d", HANDLES - 1 - i);
        CHECK(!mkeep_store_list(stores[i], NULL, &list, NULL));
        CHECK(mkeep_list_count(list) == (size_t)(HANDLES - i + 1));
        CHECK(!mkeep_store_delete(stores[i], name, NULL, NULL));
        mkeep_list_free(list);
    }
    for (int i = 0; i < HANDLES; i++) mkeep_store_free(stores[(i * 5) % HANDLES]);
}

/* Cancelled by another thread: the callback reads what that one sets. */
static volatile bool enough;

static void *tire(void *nothing) {
    enough = true;
    return nothing;
}

static bool tire_and_go_on(void *user, uint64_t bytes, uint64_t total) {
    pthread_t other;
    (void)bytes, (void)total;
    ++*(int *)user;
    CHECK(!pthread_create(&other, NULL, tire, NULL) && !pthread_join(other, NULL));
    return !enough;
}

static void another_thread_ends_a_verification(void) {
    mkeep_report *report = NULL;
    int calls = 0;
    const mkeep_verify_options options = {
        .size = sizeof options, .progress = tire_and_go_on, .user = &calls};
    CHECK(mkeep_store_verify(store, NULL, 0, &options, &report, NULL) ==
          MKEEP_STATUS_CANCELLED);
    CHECK(report == NULL && calls == 1);
}

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    store = make_store(argv[2]);
    DONE(mkeep_store_import(store, argv[1], "tiny", NULL, NULL, error));
    DONE(mkeep_store_gguf(store, "tiny", &shared, error));
    one_handle_serves_many_threads();
    many_handles_serve_one_store(argv[2]);
    another_thread_ends_a_verification();
    a_child_has_its_parents_handles();
    ends_come_in_any_order(argv[1], argv[2]);
    mkeep_store_free(store);
    mkeep_gguf_free(shared);
    puts(failed ? "failed" : "handles are shared and end in any order");
    return failed > 0;
}
