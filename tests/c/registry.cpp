// Models come from a registry and go to one, by the header of C++.
//   registry FROM TO FIXTURE DIRECTORY
// At FROM a store is served that has `tiny`; TO takes models, or is empty.
#include <modelkeep.hpp>

#include <iostream>

namespace {
int failed = 0;

void check(bool truth, const char *what, int line) {
    if (truth) return;
    std::cerr << __FILE__ << ':' << line << ": " << what << '\n';
    ++failed;
}
#define CHECK(...) check(bool(__VA_ARGS__), #__VA_ARGS__, __LINE__)

template <typename Call>
mkeep_status status_of(Call call) {
    try {
        call();
        return MKEEP_STATUS_OK;
    } catch (const modelkeep::Error &error) {
        return error.status();
    }
}

void without_it_each_call_throws(const modelkeep::Store &store, const std::string &from) {
    CHECK(status_of([&] { store.pull(from); }) == MKEEP_STATUS_UNSUPPORTED);
    CHECK(status_of([&] { store.push("tiny"); }) == MKEEP_STATUS_UNSUPPORTED);
    CHECK(status_of([&] { modelkeep::ls_remote(from); }) == MKEEP_STATUS_UNSUPPORTED);
}

void a_model_is_pulled(const modelkeep::Store &store, const std::string &from) {
    const std::string tiny = from + "/library/tiny";
    int calls = 0;
    const auto pulled = store.pull(tiny, "mine", {}, [&](std::uint64_t, std::uint64_t) {
        return ++calls > 0;
    });
    const auto facts = pulled.facts();
    CHECK(modelkeep::view(facts.name) == "mine:latest" && facts.new_blobs == 2 && calls > 1);
    CHECK(pulled.json().find("\"name\":\"mine:latest\"") != std::string::npos);
    CHECK(modelkeep::ls_remote(tiny) == std::vector<std::string>{tiny + ":latest"});
    CHECK(modelkeep::ls_remote(from) == std::vector<std::string>{tiny});
    CHECK(store.pull(tiny).facts().shared_blobs == 2);
}

void a_model_is_pushed(const modelkeep::Store &store, const std::string &to) {
    modelkeep::RegistryOptions plain;
    plain.plain_http = true;
    const auto pushed = store.push("mine", to + "/team/tiny-cpp:latest", plain);
    const auto facts = pushed.facts();
    CHECK(modelkeep::view(facts.reference) == to + "/team/tiny-cpp:latest");
    CHECK(facts.sent_blobs + facts.shared_blobs == 2);
    CHECK(pushed.json().find("\"sent_blobs\":") != std::string::npos);
}

void what_fails_throws(const modelkeep::Store &store, const std::string &from) {
    CHECK(status_of([&] { store.pull("localhost:1/team/tiny"); }) == MKEEP_STATUS_NETWORK);
    const auto stop = [](std::uint64_t, std::uint64_t) { return false; };
    CHECK(status_of([&] { store.pull(from + "/library/tiny", "x", {}, stop); }) ==
          MKEEP_STATUS_CANCELLED);
    CHECK(status_of([&] { modelkeep::ls_remote(from, {}, stop); }) == MKEEP_STATUS_CANCELLED);
    modelkeep::PullOptions options;
    options.registry.username = "me";
    CHECK(status_of([&] { store.pull(from + "/library/tiny", "x", options); }) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    options.registry.password = "secret";
    options.registry.token = "token";
    CHECK(status_of([&] { store.pull(from + "/library/tiny", "x", options); }) ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    modelkeep::RegistryOptions checked;
    checked.ca_file = "nothing.pem";
    CHECK(status_of([&] { modelkeep::ls_remote(from, checked); }) == MKEEP_STATUS_FILE_NOT_FOUND);
}
} // namespace

int main(int argc, char *argv[]) {
    if (argc != 5) return 2;
    const std::string from = argv[1], to = argv[2], directory = argv[4];
    mkeep_store_options options = {};
    options.create = 1;
    options.no_delete_delay = 1;
    const modelkeep::Store store(directory + "/store", options);
    if (modelkeep::has_registry()) {
        a_model_is_pulled(store, from);
        if (!to.empty()) a_model_is_pushed(store, to);
        what_fails_throws(store, from);
    } else {
        without_it_each_call_throws(store, from);
    }
    const char *done = modelkeep::has_registry() ? "models come and go" : "it says what it lacks";
    std::cout << (failed ? "failed" : done) << '\n';
    return failed > 0;
}
