/* Verifies the default store, with a line of progress; Ctrl-C stops it, and nothing is left behind.
 *   verify [NAME ...]
 * Ends with 0 where all is well, 1 where something is wrong, 130 where it was stopped.
 */
#include <modelkeep.h>

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
    (void)signal;
    interrupted = 1;
}

/* Called on this thread, 20 times a second at most. */
static bool show_progress(void *user, uint64_t bytes, uint64_t total_bytes) {
    (void)user;
    fprintf(stderr, "\r%10s of %s", mkeep_human_size(bytes).text,
            mkeep_human_size(total_bytes).text);
    fflush(stderr);
    return !interrupted;
}

static int print(const mkeep_report *report) {
    mkeep_finding blob = {.size = sizeof blob};
    mkeep_broken_model model = {.size = sizeof model};
    mkeep_problem problem = {.size = sizeof problem};
    for (size_t i = 0; mkeep_report_get(report, i, &blob); i++)
        if (blob.status != MKEEP_BLOB_STATUS_OK) printf("%s: %s\n", blob.path.ptr, blob.detail.ptr);
    for (size_t i = 0; mkeep_report_broken_model(report, i, &model); i++)
        printf("%s is broken\n", model.name.ptr);
    for (size_t i = 0; mkeep_report_problem(report, i, &problem); i++)
        printf("%s\n", problem.message.ptr);
    printf("%zu blobs, %s\n", mkeep_report_count(report),
           mkeep_human_size(mkeep_report_hashed_bytes(report)).text);
    return !mkeep_report_is_ok(report);
}

int main(int argc, char *argv[]) {
    mkeep_store *store = NULL;
    mkeep_report *report = NULL;
    mkeep_error *error = NULL;
    const mkeep_verify_options options = {.size = sizeof options, .progress = show_progress};
    const char *const *names = (const char *const *)argv + 1;
    const size_t count = argc > 1 ? (size_t)argc - 1 : 0;
    signal(SIGINT, interrupt);
    mkeep_status status = mkeep_store_open(NULL, &store, &error);
    if (status == MKEEP_STATUS_OK)
        status = mkeep_store_verify(store, names, count, &options, &report, &error);
    fputs("\r", stderr);
    int result = status == MKEEP_STATUS_CANCELLED ? 130 : 1;
    if (status == MKEEP_STATUS_OK)
        result = print(report);
    else
        fprintf(stderr, "%s\n", mkeep_error_message(error).ptr);
    mkeep_error_free(error);
    mkeep_report_free(report);
    mkeep_store_free(store);
    return result;
}
