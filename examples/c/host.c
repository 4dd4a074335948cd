/* Finds by its name what a host of llama.cpp needs of a model, and prints it. With `path` a host goes
 * on by
 *     llama_model_load_from_file(path, llama_model_default_params());
 * with the projector by mtmd_init_from_file, and with n_ctx in llama_context_params. Strings are
 * borrowed from the handles: keep these for as long as the strings are used.
 *   host NAME
 */
#include <modelkeep.h>

#include <stdio.h>
#include <string.h>

struct host {
    mkeep_store *store;
    mkeep_model *model;
    mkeep_show *show;
    mkeep_string *path;
    mkeep_details details;
};

static mkeep_status find(struct host *host, const char *name, mkeep_error **error) {
    mkeep_status status = mkeep_store_open(NULL, &host->store, error);
    if (status == MKEEP_STATUS_OK) status = mkeep_store_model(host->store, name, &host->model, error);
    if (status == MKEEP_STATUS_OK) status = mkeep_model_path(host->model, &host->path, error);
    if (status == MKEEP_STATUS_OK) status = mkeep_model_show(host->model, NULL, &host->show, error);
    host->details.size = sizeof host->details;
    mkeep_show_details(host->show, &host->details);
    return status;
}

static void print_files(const struct host *host) {
    mkeep_layer layer = {.size = sizeof layer};
    printf("path: %s\n", mkeep_string_c(host->path));
    for (size_t i = 0; mkeep_model_layer(host->model, i, &layer); i++)
        if (!strcmp(layer.kind.ptr, "projector") || !strcmp(layer.kind.ptr, "adapter"))
            printf("%s: %s\n", layer.kind.ptr, layer.path.ptr);
}

static void print_prompting(const struct host *host) {
    mkeep_parameter parameter = {.size = sizeof parameter};
    printf("n_ctx: %llu\n", (unsigned long long)host->details.context_length);
    printf("template: %s\n", mkeep_show_template(host->show).ptr);
    printf("system: %s\n", mkeep_show_system(host->show).ptr);
    for (size_t i = 0; mkeep_show_parameter(host->show, i, &parameter); i++)
        printf("%s: %s\n", parameter.key.ptr, parameter.text.ptr);
}

static void print_error(const mkeep_error *error) {
    mkeep_str name;
    fprintf(stderr, "%s\n", mkeep_error_message(error).ptr);
    for (size_t i = 0; mkeep_error_suggestion(error, i, &name); i++)
        fprintf(stderr, "meant: %s?\n", name.ptr);
}

int main(int argc, char *argv[]) {
    struct host host = {0};
    mkeep_error *error = NULL;
    if (argc != 2) {
        fprintf(stderr, "host NAME\n");
        return 2;
    }
    const mkeep_status status = find(&host, argv[1], &error);
    if (status == MKEEP_STATUS_OK) {
        print_files(&host);
        print_prompting(&host);
    } else {
        print_error(error);
    }
    mkeep_error_free(error);
    mkeep_show_free(host.show);
    mkeep_string_free(host.path);
    mkeep_model_free(host.model);
    mkeep_store_free(host.store);
    return status != MKEEP_STATUS_OK;
}
