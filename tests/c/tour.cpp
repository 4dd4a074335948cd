// The owners and exceptions of modelkeep.hpp.
//   tour FIXTURE STORE
#include <cerrno>
#include <modelkeep.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>
#include <type_traits>

#define CHECK(truth)                                                                               \
    do {                                                                                           \
        if (!(truth)) {                                                                            \
            std::cerr << __FILE__ << ":" << __LINE__ << ": " << #truth << "\n";                    \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

using modelkeep::Gguf;
using modelkeep::Model;
using modelkeep::Store;

static_assert(!std::is_copy_constructible_v<Store> && std::is_nothrow_move_constructible_v<Store>);
static_assert(!std::is_copy_constructible_v<Model> && std::is_nothrow_move_assignable_v<Model>);
static_assert(std::is_copy_constructible_v<Gguf> && std::is_nothrow_move_constructible_v<Gguf>);

static bool has(const std::string &json, const char *part) {
    return json.find(part) != std::string::npos;
}

/// The error that a call throws.
template <typename Call>
static modelkeep::Error thrown(Call call) {
    try {
        call();
    } catch (const modelkeep::Error &error) {
        return error;
    }
    std::cerr << "nothing was thrown\n";
    std::exit(1);
}

static void models_are_made_and_read(const Store &store, const char *fixture) {
    mkeep_import_options options = {};
    options.system = "Be brief.";
    const char *projectors[] = {fixture};
    options.projectors = projectors;
    options.n_projectors = 1;
    CHECK(has(store.import(fixture, "tiny", options), "\"replaced\":false"));
    store.copy("tiny", "copy");
    CHECK(store.list().size() == 2 && store.list()[0].family == "llama");
    CHECK(has(store.list_json(), "\"tiny:latest\""));
    CHECK(has(store.show_json("tiny"), "\"system\":\"Be brief.\""));
    CHECK(store.answer(MKEEP_CALL_SHOW, R"({"model":"tiny"})").second == store.show_json("tiny"));
    CHECK(store.answer(MKEEP_CALL_TAGS).first == 200);
    CHECK(store.answer(MKEEP_CALL_DELETE, R"({"model":"nope"})").first == 404);

    const Model model = store.model("TINY");
    CHECK(model.name() == "tiny:latest" && model.digest() == store.list()[0].digest);
    CHECK(model.size() == store.list()[0].size && model.modified() > 0);
    CHECK(model.layers().size() == 4 && model.paths("projector").size() == 1);
    CHECK(model.path() == store.path("tiny") && model.paths("model")[0] == model.path());
    CHECK(model.show_json(true) == store.show_json("tiny", true));
}

static void a_model_is_made_of_a_model(const Store &store, const std::string &directory) {
    const auto path = directory + "/Modelfile";
    std::ofstream(path) << "FROM tiny\nSYSTEM other\n";
    CHECK(has(store.import_modelfile(path, "made"), "\"name\":\"made:latest\""));
    CHECK(has(store.show_json("made"), "\"system\":\"other\"") && store.path("made") == store.path("tiny"));
    store.remove("made");
    CHECK(std::remove(path.c_str()) == 0);
}

static void a_file_outlives_its_model(const Store &store) {
    Gguf outlives(store.path("tiny"));
    {
        Gguf gguf = store.model("tiny").gguf();
        outlives = gguf;
        Gguf moved = std::move(gguf);
        CHECK(moved.version() == 3 && moved.json() == outlives.json());
    }
    CHECK(outlives.text("general.architecture") == "llama" && outlives.size() == 9);
    CHECK(outlives.pair(0)->first == "general.architecture" && !outlives.pair(9));
    CHECK(outlives.text("no.such.key").empty() && !outlives.find("no.such.key"));
    const auto tokens = outlives.find("tokenizer.ggml.tokens")->array;
    const auto words = Gguf::texts(tokens);
    CHECK(words.size() == 4 && words[2] == "hello");
    CHECK(modelkeep::view(Gguf::at(tokens, 3)->str) == "world" && !Gguf::at(tokens, 4));
    CHECK(outlives.tensors().size() == 2 && outlives.parameter_count() == 40);
    CHECK(outlives.warnings().empty());
}

static void errors_are_exceptions(const Store &store, const std::string &directory) {
    const auto near = thrown([&] { store.remove("tiny:7b"); });
    CHECK(near.suggestions().size() == 1 && near.suggestions().at(0) == "tiny:latest");
    const auto missing = thrown([&] { store.remove("nope"); });
    CHECK(missing.status() == MKEEP_STATUS_NOT_FOUND && missing.http_status() == 404);
    CHECK(missing.what() == std::string("model 'nope:latest' not found") && !missing.fault());
    const auto absent = thrown([&] { Store(directory + "/no/such"); });
    CHECK(absent.status() == MKEEP_STATUS_FILE_NOT_FOUND && absent.os() == ENOENT);
    CHECK(absent.path() == directory + "/no/such" && absent.suggestions().empty());
    const auto config = store.model("tiny").paths("config").at(0);
    const auto broken = thrown([&] { Gguf gguf(config); });
    CHECK(broken.status() == MKEEP_STATUS_INVALID_GGUF && broken.fault()->code == "bad_magic");
    const auto refused = thrown([&] { Gguf gguf(config + "/x"); });
    CHECK(refused.status() == MKEEP_STATUS_IO && refused.os() != 0);
}

static void a_verification_can_be_watched_and_stopped(const Store &store) {
    std::uint64_t last = 0;
    const auto watch = [&](std::uint64_t done, std::uint64_t total) {
        last = done;
        return done <= total;
    };
    const auto report = store.verify({"tiny"}, {true, true}, watch);
    CHECK(report.ok && last > 0 && has(report.json, "\"hashed_bytes\":"));
    CHECK(has(report.json, "\"cached\":"));
    const auto stopped = thrown([&] { store.verify({}, {}, [](auto, auto) { return false; }); });
    CHECK(stopped.status() == MKEEP_STATUS_CANCELLED);
    try {
        store.verify({}, {}, [](auto, auto) -> bool { throw std::runtime_error("enough"); });
        CHECK(!"thrown on");
    } catch (const std::runtime_error &error) {
        CHECK(error.what() == std::string("enough"));
    }
    std::thread other([&] { CHECK(store.verify().ok); });
    CHECK(store.verify().ok);
    other.join();
}

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    CHECK(modelkeep::fits());
    mkeep_store_options options = {};
    options.create = true;
    options.no_settle = true;
    const Store store(argv[2], options);
    CHECK(store.root() == argv[2]);
    models_are_made_and_read(store, argv[1]);
    a_model_is_made_of_a_model(store, argv[2]);
    a_file_outlives_its_model(store);
    errors_are_exceptions(store, argv[2]);
    a_verification_can_be_watched_and_stopped(store);
    CHECK(has(store.usage_json(), "\"orphans\":{\"files\":0,"));
    CHECK(has(store.doctor_json(), "\"issues\":[]"));
    CHECK(has(store.repair_json(), "\"quarantined\":[]"));
    CHECK(has(store.gc_json(0, true, true), "\"dry_run\":true"));
    CHECK(has(store.remove(std::vector<std::string>{"tiny", "nope"}), "'nope:latest' not found"));
    store.remove("copy");
    CHECK(store.list().empty() && store.verify().blobs.empty());
    std::cout << "the owners hold\n";
}
