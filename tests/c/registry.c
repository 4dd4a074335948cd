/* Models come from a registry and go to one, where the library was built with that.
 *   registry FROM TO FIXTURE DIRECTORY
 * At FROM a store is served that has `tiny`; TO takes models, or is empty.
 */
#include "check.h"

static const char *from, *to;

/* A reference to a repository at a host; the last two stay as they are. */
static const char *reference(const char *host, const char *repository) {
    static char references[2][256];
    static size_t next;
    char *whole = references[next++ % 2];
    snprintf(whole, sizeof references[0], "%s/%s", host, repository);
    return whole;
}

/* Whether a call that failed with a status says why, and in these words. */
static bool says(mkeep_error *error, mkeep_status status, const char *part) {
    const bool found =
        mkeep_error_status(error) == status && contains(mkeep_error_message(error), part);
    if (!found) fprintf(stderr, "not \"%s\": %s\n", part, mkeep_error_message(error).ptr);
    mkeep_error_free(error);
    return found;
}

static void without_it_each_call_says_so(mkeep_store *store) {
    mkeep_error *error = NULL;
    mkeep_remote_list *list = NULL;
    CHECK(mkeep_store_pull(store, from, NULL, NULL, NULL, &error));
    CHECK(says(error, MKEEP_STATUS_UNSUPPORTED, "built without the client of registries"));
    CHECK(mkeep_store_push(store, "tiny", NULL, NULL, NULL, &error));
    CHECK(says(error, MKEEP_STATUS_UNSUPPORTED, "MODELKEEP_REGISTRY=ON"));
    CHECK(mkeep_ls_remote(from, NULL, &list, &error) && !list);
    CHECK(says(error, MKEEP_STATUS_UNSUPPORTED, "listing 127.0.0.1"));
}

static void a_model_is_pulled(mkeep_store *store) {
    int calls = 0;
    const mkeep_pull_options options = {.size = sizeof options, .progress = go_on, .user = &calls};
    mkeep_pulled *pulled = NULL;
    mkeep_pulled_facts facts = {.size = sizeof facts};
    mkeep_string *json = NULL;
    const char *tiny = reference(from, "library/tiny");
    DONE(mkeep_store_pull(store, tiny, "mine", &options, &pulled, error));
    CHECK(mkeep_pulled_get(pulled, &facts) && is(facts.name, "mine:latest") && calls > 1);
    CHECK(contains(facts.reference, tiny) && contains(facts.digest, "sha256:"));
    CHECK(!facts.is_replacement && facts.new_blobs == 2 && facts.new_bytes > 736);
    CHECK(!facts.resumed_bytes && !facts.shared_blobs);
    DONE(mkeep_pulled_json(pulled, &json, error));
    CHECK(has(json, "\"name\":\"mine:latest\""));
    mkeep_pulled_free(pulled);
    DONE(mkeep_store_pull(store, tiny, "again", NULL, &pulled, error));
    CHECK(mkeep_pulled_get(pulled, &facts) && !facts.new_blobs && facts.shared_blobs == 2);
    mkeep_pulled_free(pulled);
}

static void what_is_there_is_listed(const char *host, const char *repository, const char *tag) {
    mkeep_remote_list *list = NULL;
    mkeep_string *json = NULL;
    mkeep_str name;
    DONE(mkeep_ls_remote(host, NULL, &list, error));
    CHECK(mkeep_remote_list_get(list, 0, &name) && is(name, reference(host, repository)));
    mkeep_remote_list_free(list);
    DONE(mkeep_ls_remote(reference(host, repository), NULL, &list, error));
    CHECK(mkeep_remote_list_get(list, 0, &name) && is(name, reference(host, tag)));
    CHECK(!mkeep_remote_list_get(list, 1, &name));
    DONE(mkeep_remote_list_json(list, &json, error));
    CHECK(has(json, tag));
    mkeep_remote_list_free(list);
}

static void a_model_is_pushed(mkeep_store *store) {
    int calls = 0;
    const mkeep_registry_options registry = {.size = sizeof registry, .connections = 2};
    const mkeep_push_options options = {
        .size = sizeof options, .registry = &registry, .progress = go_on, .user = &calls};
    mkeep_pushed *pushed = NULL;
    mkeep_pushed_facts facts = {.size = sizeof facts};
    mkeep_string *json = NULL;
    const char *tiny = reference(to, "team/tiny:c");
    DONE(mkeep_store_push(store, "mine", tiny, &options, &pushed, error));
    CHECK(mkeep_pushed_get(pushed, &facts) && is(facts.reference, tiny) && calls > 1);
    CHECK(is(facts.name, "mine:latest") && contains(facts.digest, "sha256:"));
    /* The program runs more than once. */
    CHECK(facts.sent_blobs + facts.shared_blobs == 2 && !facts.mounted_blobs);
    CHECK(!facts.sent_blobs == !facts.sent_bytes);
    DONE(mkeep_pushed_json(pushed, &json, error));
    CHECK(has(json, "\"name\":\"mine:latest\""));
    mkeep_pushed_free(pushed);
    what_is_there_is_listed(to, "team/tiny", "team/tiny:c");
}

static void what_fails_says_why(mkeep_store *store) {
    mkeep_error *error = NULL;
    mkeep_pulled *pulled = NULL;
    CHECK(mkeep_store_pull(store, "localhost:1/team/tiny", NULL, NULL, &pulled, &error));
    CHECK(says(error, MKEEP_STATUS_NETWORK, "pulling localhost:1/team/tiny") && !pulled);
    CHECK(mkeep_store_pull(store, reference(from, "library/nothing"), NULL, NULL, NULL, NULL) ==
          MKEEP_STATUS_NOT_FOUND);
    CHECK(mkeep_store_push(store, "nothing", NULL, NULL, NULL, NULL) == MKEEP_STATUS_NOT_FOUND);
    CHECK(mkeep_store_push(store, "mine", NULL, NULL, NULL, NULL) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(mkeep_store_pull(store, NULL, NULL, NULL, NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    CHECK(mkeep_ls_remote(from, NULL, NULL, NULL) == MKEEP_STATUS_NULL_ARGUMENT);
    const mkeep_pull_options kept = {.size = sizeof kept, .no_replace = 1};
    DONE(mkeep_store_import(store, at("other.gguf"), "other", NULL, NULL, error));
    CHECK(mkeep_store_pull(store, reference(from, "library/tiny"), "other", &kept, NULL, NULL) ==
          MKEEP_STATUS_ALREADY_EXISTS);
    const mkeep_pull_options stopped = {.size = sizeof stopped, .progress = stop};
    CHECK(mkeep_store_pull(store, reference(from, "library/tiny"), "x", &stopped, NULL, NULL) ==
          MKEEP_STATUS_CANCELLED);
    const mkeep_ls_remote_options unasked = {.size = sizeof unasked, .progress = stop};
    mkeep_remote_list *list = NULL;
    CHECK(mkeep_ls_remote(from, &unasked, &list, NULL) == MKEEP_STATUS_CANCELLED && !list);
}

/* What a call with these options returns. */
static mkeep_status with(mkeep_registry_options registry) {
    registry.size = sizeof registry;
    const mkeep_ls_remote_options options = {.size = sizeof options, .registry = &registry};
    mkeep_remote_list *list = NULL;
    const mkeep_status status = mkeep_ls_remote(from, &options, &list, NULL);
    mkeep_remote_list_free(list);
    return status;
}

static void options_are_those_of_a_registry(void) {
    CHECK(with((mkeep_registry_options){.plain_http = 1}) == MKEEP_STATUS_OK);
    CHECK(with((mkeep_registry_options){.plain_http = 1, .token = "x"}) == MKEEP_STATUS_OK);
    CHECK(with((mkeep_registry_options){.username = "me"}) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(with((mkeep_registry_options){.password = "x"}) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(with((mkeep_registry_options){.username = "me", .password = "x", .token = "x"}) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(with((mkeep_registry_options){.plain_http = 1, .username = "me", .password = "x"}) ==
          MKEEP_STATUS_OK);
    CHECK(with((mkeep_registry_options){.client_key = at("x")}) == MKEEP_STATUS_INVALID_ARGUMENT);
    CHECK(with((mkeep_registry_options){.client_certificate = at("x"), .client_key = at("x")}) ==
          MKEEP_STATUS_FILE_NOT_FOUND);
    CHECK(with((mkeep_registry_options){.ca_file = at("x")}) == MKEEP_STATUS_FILE_NOT_FOUND);
}

/* A copy of a file that has one byte more. */
static void copied(const char *path, const char *other) {
    FILE *in = fopen(path, "rb"), *out = fopen(other, "wb");
    int byte;
    CHECK(in && out);
    while (in && out && (byte = fgetc(in)) != EOF) fputc(byte, out);
    if (in) fclose(in);
    if (out) fputc(0, out), fclose(out);
}

int main(int argc, char *argv[]) {
    if (argc != 5) return 2;
    from = argv[1], to = argv[2], directory = argv[4];
    mkeep_store *store = make_store(at("store"));
    if (mkeep_has_registry()) {
        copied(argv[3], at("other.gguf"));
        a_model_is_pulled(store);
        what_is_there_is_listed(from, "library/tiny", "library/tiny:latest");
        if (*to) a_model_is_pushed(store);
        what_fails_says_why(store);
        options_are_those_of_a_registry();
    } else {
        without_it_each_call_says_so(store);
    }
    mkeep_pulled_free(NULL), mkeep_pushed_free(NULL), mkeep_remote_list_free(NULL);
    mkeep_store_free(store);
    puts(failed ? "failed" : mkeep_has_registry() ? "models come and go" : "it says what it lacks");
    return failed > 0;
}
