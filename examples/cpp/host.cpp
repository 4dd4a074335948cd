// Finds by its name what a host of llama.cpp needs of a model, and prints it. With `path` a host goes
// on by
//     llama_model_load_from_file(host.path.c_str(), llama_model_default_params());
// with the projectors by mtmd_init_from_file, and with n_ctx in llama_context_params.
//   host NAME
#include <modelkeep.hpp>

#include <iostream>
#include <string>
#include <vector>

/// What a host needs; it owns all of it.
struct Host {
    std::string path, chat_template, system;
    std::vector<std::string> projectors, adapters, stop;
    std::uint64_t n_ctx = 0;
};

static Host find(std::string_view name) {
    const modelkeep::Store store;
    const auto model = store.model(name);
    const auto show = model.show();
    Host host;
    host.path = model.path();
    host.projectors = model.paths("projector");
    host.adapters = model.paths("adapter");
    host.chat_template = show.chat_template();
    host.system = show.system();
    host.n_ctx = show.details().context_length;
    for (const auto &parameter : show.parameters())
        if (modelkeep::view(parameter.key) == "stop")
            host.stop.emplace_back(modelkeep::view(parameter.text));
    return host;
}

int main(int argc, char *argv[]) try {
    if (argc != 2) {
        std::cerr << "host NAME\n";
        return 2;
    }
    const auto host = find(argv[1]);
    std::cout << "path: " << host.path << '\n';
    for (const auto &path : host.projectors) std::cout << "projector: " << path << '\n';
    for (const auto &path : host.adapters) std::cout << "adapter: " << path << '\n';
    std::cout << "n_ctx: " << host.n_ctx << "\ntemplate: " << host.chat_template
              << "\nsystem: " << host.system << '\n';
    for (const auto &word : host.stop) std::cout << "stop: " << word << '\n';
} catch (const modelkeep::Error &error) {
    std::cerr << error.what() << '\n';
    for (const auto &name : error.suggestions()) std::cerr << "meant: " << name << "?\n";
    return 1;
}
