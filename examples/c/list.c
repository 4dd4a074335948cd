/* Prints the models of the default store as a table.
 *   list
 */
#include <modelkeep.h>

#include <stdio.h>

/* The most letters that a name has. */
static int width_of_names(const mkeep_list *list) {
    int width = 4;
    mkeep_summary model = {.size = sizeof model};
    for (size_t i = 0; mkeep_list_get(list, i, &model); i++)
        if ((int)model.name.len > width) width = (int)model.name.len;
    return width;
}

static void print_capabilities(const mkeep_list *list, size_t index) {
    mkeep_str capability;
    for (size_t nth = 0; mkeep_list_capability(list, index, nth, &capability); nth++)
        printf("%s%s", nth == 0 ? "" : ", ", capability.ptr);
}

static void print(const mkeep_list *list) {
    const int width = width_of_names(list);
    mkeep_summary model = {.size = sizeof model};
    mkeep_problem problem = {.size = sizeof problem};
    printf("%-*s  %10s  %10s  %-10s  %8s  %s\n", width, "NAME", "SIZE", "PARAMETERS", "TYPE",
           "CONTEXT", "CAN");
    for (size_t i = 0; mkeep_list_get(list, i, &model); i++) {
        const uint64_t bytes = model.n_bytes > 0 ? (uint64_t)model.n_bytes : 0;
        printf("%-*s  %10s  %10s  %-10s  %8lld  ", width, model.name.ptr,
               mkeep_human_size(bytes).text, model.parameter_size.ptr,
               model.quantization_level.ptr, (long long)model.context_length);
        print_capabilities(list, i);
        putchar('\n');
    }
    for (size_t i = 0; mkeep_list_problem(list, i, &problem); i++)
        fprintf(stderr, "left out: %s\n", problem.message.ptr);
}

int main(void) {
    mkeep_store *store = NULL;
    mkeep_list *list = NULL;
    mkeep_error *error = NULL;
    const mkeep_store_options options = {.size = sizeof options, .read_only = 1};
    if (mkeep_store_open(&options, &store, &error) == MKEEP_STATUS_OK &&
        mkeep_store_list(store, NULL, &list, &error) == MKEEP_STATUS_OK)
        print(list);
    else
        fprintf(stderr, "%s\n", mkeep_error_message(error).ptr);
    const int failed = list == NULL;
    mkeep_error_free(error);
    mkeep_list_free(list);
    mkeep_store_free(store);
    return failed;
}
