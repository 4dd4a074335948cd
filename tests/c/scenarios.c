/* The table of scenarios through the C interface.
 *   scenarios TABLE FIXTURE STORE
 */
#include <modelkeep.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 4096

static const char *const STATUSES[] = {
    "OK",      "NOT_FOUND",    "INVALID_NAME", "INVALID_DIGEST", "INVALID_ARGUMENT",
    "ALREADY_EXISTS", "CORRUPT", "INVALID_GGUF", "UNSUPPORTED", "BUSY",
    "CANCELLED", "IO",          "INVALID_TEMPLATE", "PERMISSION_DENIED", "FILE_NOT_FOUND",
    "READ_ONLY"};

static const char *const STATES[] = {"ok", "missing", "wrong_size", "wrong_digest", "unreadable"};

/* The states in alphabetical order. */
static const mkeep_blob_status ORDER[] = {
    MKEEP_BLOB_STATUS_MISSING, MKEEP_BLOB_STATUS_OK, MKEEP_BLOB_STATUS_UNREADABLE,
    MKEEP_BLOB_STATUS_WRONG_DIGEST, MKEEP_BLOB_STATUS_WRONG_SIZE};

static const char *fixture;

static bool stop(void *user, uint64_t bytes, uint64_t total) {
    (void)user, (void)bytes, (void)total;
    return false;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static mkeep_status list(const mkeep_store *store, char *answer, mkeep_error **error) {
    mkeep_list *models = NULL;
    mkeep_status status = mkeep_store_list(store, NULL, &models, error);
    const char *names[16];
    size_t count = 0;
    mkeep_summary model = {.size = sizeof model};
    while (count < 16 && mkeep_list_get(models, count, &model)) names[count++] = model.name.ptr;
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) strcat(answer, " ");
        strncat(answer, names[i], 255);
    }
    if (status == MKEEP_STATUS_OK && count == 0) strcpy(answer, "-");
    mkeep_list_free(models);
    return status;
}

static mkeep_status verify(const mkeep_store *store, mkeep_progress progress, char *answer,
                           mkeep_error **error) {
    mkeep_report *report = NULL;
    const mkeep_verify_options options = {.size = sizeof options, .progress = progress};
    mkeep_status status =
        mkeep_store_verify(store, NULL, 0, &options, &report, error);
    int counts[5] = {0};
    mkeep_finding blob = {.size = sizeof blob};
    for (size_t i = 0; mkeep_report_get(report, i, &blob); i++) counts[blob.status]++;
    for (size_t i = 0; i < 5; i++) {
        if (counts[ORDER[i]] == 0) continue;
        sprintf(answer + strlen(answer), "%s%s=%d", *answer ? " " : "", STATES[ORDER[i]],
                counts[ORDER[i]]);
    }
    mkeep_report_free(report);
    return status;
}

enum deed { LOOK, DAMAGE, LOSE };

static mkeep_status path(const mkeep_store *store, const char *name, enum deed deed,
                         mkeep_error **error) {
    mkeep_string *text = NULL;
    mkeep_status status = mkeep_store_path(store, name, &text, error);
    if (status == MKEEP_STATUS_OK) {
        FILE *file = fopen(mkeep_string_c(text), "r+b");
        char magic[4] = {0};
        if (!file || fread(magic, 1, 4, file) != 4 || memcmp(magic, "GGUF", 4)) abort();
        if (deed == DAMAGE) {
            fseek(file, -1, SEEK_END);
            int last = fgetc(file);
            fseek(file, -1, SEEK_END);
            fputc(last ^ 1, file);
        }
        fclose(file);
        if (deed == LOSE) remove(mkeep_string_c(text));
    }
    mkeep_string_free(text);
    return status;
}

static mkeep_status call(const mkeep_store *store, char *words[], int count, char *answer,
                         mkeep_error **error) {
    const char *name = count > 1 ? words[1] : "";
    if (!strcmp(words[0], "list")) return list(store, answer, error);
    if (!strcmp(words[0], "path")) return path(store, name, LOOK, error);
    if (!strcmp(words[0], "damage")) return path(store, name, DAMAGE, error);
    if (!strcmp(words[0], "lose")) return path(store, name, LOSE, error);
    if (!strcmp(words[0], "copy")) return mkeep_store_copy(store, name, words[2], error);
    if (!strcmp(words[0], "delete")) return mkeep_store_delete(store, name, NULL, error);
    if (!strncmp(words[0], "import", 6)) {
        mkeep_import_options options = {0};
        options.size = sizeof options;
        options.replace = words[0][6] == '!';
        return mkeep_store_import(store, fixture, name, &options, NULL, error);
    }
    if (!strcmp(words[0], "verify")) return verify(store, NULL, answer, error);
    if (!strcmp(words[0], "cancel")) return verify(store, stop, answer, error);
    if (!strcmp(words[0], "show")) {
        mkeep_string *json = NULL;
        mkeep_status status = mkeep_store_show_json(store, name, NULL, &json, error);
        mkeep_str text = mkeep_string_str(json);
        if (status == MKEEP_STATUS_OK) snprintf(answer, ROOM, "%s", text.ptr);
        mkeep_string_free(json);
        return status;
    }
    fprintf(stderr, "no such call: %s\n", words[0]);
    exit(2);
}

/* Runs one line of the table; returns whether it holds. */
static bool holds(const mkeep_store *store, char *line) {
    char copy[ROOM], answer[ROOM] = "", *words[4] = {NULL}, *rest;
    strcpy(copy, line);
    char *expected = strstr(copy, " => ");
    *expected = 0;
    expected += 4;
    int count = 0;
    for (char *word = strtok_r(copy, " ", &rest); word && count < 4;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    char *text = strchr(expected, ' ');
    if (text) *text++ = 0;
    else text = "";
    mkeep_error *error = NULL;
    mkeep_status status = call(store, words, count, answer, &error);
    if (status != MKEEP_STATUS_OK) snprintf(answer, ROOM, "%s", mkeep_error_message(error).ptr);
    bool same = mkeep_error_status(error) == status && !strcmp(STATUSES[status], expected);
    bool exact = status == MKEEP_STATUS_OK &&
                 (!strcmp(words[0], "list") || !strcmp(words[0], "verify"));
    same = same && (exact ? !strcmp(answer, text) : strstr(answer, text) != NULL);
    if (!same) fprintf(stderr, "%s\n  answered %s %s\n", line, STATUSES[status], answer);
    mkeep_error_free(error);
    return same;
}

int main(int argc, char *argv[]) {
    if (argc != 4) return 2;
    FILE *table = fopen(argv[1], "r");
    fixture = argv[2];
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = argv[3];
    options.create = 1;
    options.no_delete_delay = 1;
    mkeep_store *store = NULL;
    mkeep_error *error = NULL;
    if (!table || mkeep_store_open(&options, &store, &error) != MKEEP_STATUS_OK) {
        fprintf(stderr, "%s\n", mkeep_error_message(error).ptr);
        return 2;
    }
    char line[ROOM];
    int lines = 0, failed = 0;
    while (fgets(line, sizeof line, table)) {
        line[strcspn(line, "\n")] = 0;
        if (!*line || *line == '#') continue;
        lines++;
        if (!holds(store, line)) failed++;
    }
    fclose(table);
    mkeep_store_free(store);
    printf("%d scenarios, %d failed\n", lines, failed);
    return failed > 0 || lines == 0;
}
