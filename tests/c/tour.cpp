// The owners and exceptions of modelkeep.hpp.
//   tour FIXTURE STORE
#include <modelkeep.hpp>

#include <cassert>
#include <iostream>

#undef NDEBUG

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    mkeep_store_options options = {};
    options.create = true;
    options.no_settle = true;
    const modelkeep::Store store(argv[2], options);
    store.import(argv[1], "tiny");
    store.copy("tiny", "copy");
    assert(store.list().size() == 2 && store.list()[0].family == "llama");
    assert(store.list_json().find("\"tiny:latest\"") != std::string::npos);
    assert(store.show_json("tiny").find("\"capabilities\":[\"completion\"]") != std::string::npos);

    modelkeep::Gguf outlives(store.path("tiny"));
    {
        modelkeep::Gguf gguf = store.gguf("tiny");
        outlives = gguf;
    }
    assert(outlives.text("general.architecture") == "llama" && outlives.size() == 9);
    const auto words = modelkeep::Gguf::texts(outlives.find("tokenizer.ggml.tokens")->array);
    assert(words.size() == 4 && words[2] == "hello");
    assert(outlives.tensors().size() == 2);

    assert(store.verify({"tiny"}, true).ok);
    try {
        store.verify({}, false, [](auto, auto) -> bool { throw std::runtime_error("enough"); });
        assert(false);
    } catch (const std::runtime_error &error) {
        assert(error.what() == std::string("enough"));
    }
    try {
        store.remove("nope");
        assert(false);
    } catch (const modelkeep::Error &error) {
        assert(error.status() == MKEEP_STATUS_NOT_FOUND);
        assert(error.what() == std::string("model 'nope:latest' not found"));
    }
    store.remove("tiny");
    store.remove("copy");
    assert(store.list().empty() && store.verify().blobs.empty());
    std::cout << "the owners hold\n";
}
