/* What the programs of tests share. */
#ifndef CHECK_H
#define CHECK_H

#include <modelkeep.h>

#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#include <direct.h>
#include <stdlib.h>
#define mkdir(path, mode) _mkdir(path)
#define setenv(name, value, replace) _putenv_s(name, value)
#endif

static int failed;

/* Where the program may write. */
static const char *directory;

/* A path below the directory; the last eight stay as they are. */
static inline const char *at(const char *path) {
    static char paths[8][4096];
    static size_t next;
    char *whole = paths[next++ % 8];
    snprintf(whole, sizeof paths[0], "%s/%s", directory, path);
    return whole;
}

#define CHECK(truth)                                                                               \
    do {                                                                                           \
        if (!(truth)) {                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #truth);                            \
            failed++;                                                                              \
        }                                                                                          \
    } while (0)

/* Checks that a call succeeds; prints why where it does not. */
#define DONE(call)                                                                                 \
    do {                                                                                           \
        mkeep_error *error_ = NULL, **error = &error_;                                             \
        if ((call) != MKEEP_STATUS_OK) {                                                           \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, mkeep_error_message(error_).ptr);   \
            failed++;                                                                              \
        }                                                                                          \
        mkeep_error_free(error_);                                                                  \
    } while (0)

/* Watches a call: counts how often it is told, in an int, and goes on. */
static inline bool go_on(void *user, uint64_t bytes, uint64_t total_bytes) {
    ++*(int *)user;
    return bytes <= total_bytes;
}

/* Watches a call, and ends it. */
static inline bool stop(void *user, uint64_t bytes, uint64_t total_bytes) {
    (void)user, (void)bytes, (void)total_bytes;
    return false;
}

static inline bool is(mkeep_str text, const char *expected) {
    return text.len == strlen(expected) && !memcmp(text.ptr, expected, text.len);
}

static inline bool contains(mkeep_str text, const char *part) {
    return strstr(text.ptr, part) != NULL;
}

/* Whether a path has a part, whose separators are written as `/`. */
static inline bool leads(mkeep_str path, const char *part) {
    char plain[4096];
    snprintf(plain, sizeof plain, "%s", path.ptr);
    for (char *at = plain; (at = strchr(at, '\\'));) *at = '/';
    return strstr(plain, part) != NULL;
}

/* Whether the JSON of a result has a part; NULL is the JSON of a call that failed. */
static inline bool has(mkeep_string *json, const char *part) {
    const bool found = json && contains(mkeep_string_str(json), part);
    if (!found) fprintf(stderr, "no %s in %s\n", part, json ? mkeep_string_c(json) : "NULL");
    mkeep_string_free(json);
    return found;
}

/* A store that is made where it is missing, for programs that are alone with it. */
static inline mkeep_store *make_store(const char *directory) {
    mkeep_store *store = NULL;
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = directory;
    options.create = 1;
    options.no_delete_delay = 1;
    DONE(mkeep_store_open(&options, &store, error));
    return store;
}

#endif
