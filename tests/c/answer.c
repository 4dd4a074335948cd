/* Handles requests to the API that come as lines "ENDPOINT LENGTH\n" and a body: prints the HTTP
 * status, the length of the response's body and the body itself.
 *   answer STORE
 */
#include <modelkeep.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[]) {
    if (argc != 2) return 2;
    mkeep_store_options options = {0};
    options.size = sizeof options;
    options.path = argv[1];
    options.no_delete_delay = 1;
    mkeep_store *store = NULL;
    mkeep_error *error = NULL;
    if (mkeep_store_open(&options, &store, &error) != MKEEP_STATUS_OK) {
        fprintf(stderr, "%s\n", mkeep_error_message(error).ptr);
        return 1;
    }
    unsigned endpoint;
    size_t length;
    while (scanf("%u %zu", &endpoint, &length) == 2 && getchar() == '\n') {
        unsigned char *body = malloc(length + 1);
        if (!body || fread(body, 1, length, stdin) != length) return 1;
        uint16_t status = 0;
        mkeep_string *response = NULL;
        if (mkeep_store_handle_request(store, endpoint, body, length, &status, &response, NULL))
            return 1;
        mkeep_str text = mkeep_string_str(response);
        printf("%d %zu\n", status, text.len);
        fwrite(text.ptr, 1, text.len, stdout);
        fflush(stdout);
        mkeep_string_free(response);
        free(body);
    }
    mkeep_store_free(store);
    return 0;
}
