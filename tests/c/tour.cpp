// The owners and exceptions of modelkeep.hpp.
//   tour FIXTURE STORE
#include <modelkeep.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#if __cplusplus > 201703L
#include <ranges>
#endif
#include <sstream>
#include <thread>
#include <type_traits>

#ifdef _WIN32
#define setenv(name, value, replace) _putenv_s(name, value)
#endif

#define CHECK(truth)                                                                               \
    do {                                                                                           \
        if (!(truth)) {                                                                            \
            std::cerr << __FILE__ << ":" << __LINE__ << ": " << #truth << "\n";                    \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

using modelkeep::Gguf;
using modelkeep::Model;
using modelkeep::Parts;
using modelkeep::Store;
using modelkeep::view;

static_assert(!std::is_copy_constructible_v<Store> && std::is_nothrow_move_constructible_v<Store>);
static_assert(!std::is_copy_constructible_v<Model> && std::is_nothrow_move_assignable_v<Model>);
static_assert(std::is_copy_constructible_v<Gguf> && std::is_nothrow_move_constructible_v<Gguf>);

static bool has(const std::string &json, const char *part) {
    return json.find(part) != std::string::npos;
}

/// A path whose separators are `/`.
static std::string plain(std::string_view path) {
    std::string text(path);
    std::replace(text.begin(), text.end(), '\\', '/');
    return text;
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
    options.parameters = R"({"stop":["a","b"],"temperature":0.5})";
    const char *projectors[] = {fixture}, *licenses[] = {"MIT"};
    options.projectors = projectors;
    options.n_projectors = 1;
    options.licenses = licenses;
    options.n_licenses = 1;
    int calls = 0;
    const auto imported =
        store.import(fixture, "tiny", options, [&](auto, auto) { return ++calls > 0; });
    CHECK(imported.name() == "tiny:latest" && imported.digest().size() == 71 && calls > 0);
    CHECK(imported.bytes() == 736 && !imported.is_replacement());
    CHECK(imported.ignored().empty() && imported.warnings().empty());
    CHECK(has(imported.json(), "\"replaced\":false"));
    const auto edited = store.edit("tiny", "edited",
                                   {modelkeep::GgufChange::set("general.name", "Edited")});
    CHECK(edited.name() == "edited:latest" && !edited.is_replacement());
    store.remove("edited");
    const auto copied = store.copy("tiny", "other");
    CHECK(copied.from() == "tiny:latest" && copied.to() == "other:latest");
    CHECK(!copied.is_replacement() && has(copied.json(), "\"replaced\":false"));
    mkeep_copy_options careful = {};
    careful.no_replace = 1;
    CHECK(thrown([&] { store.copy("tiny", "other", careful); }).status() ==
          MKEEP_STATUS_ALREADY_EXISTS);
    store.rename("other", "copy");
    const auto list = store.list();
    CHECK(list.size() == 2 && list.problems().empty());
    CHECK(view(list.models().at(0)->family) == "llama" && !list.models().at(2));
    CHECK(list.families(0).at(0) == "llama" && list.capabilities(0).at(0) == "completion");
    CHECK(list.incomplete(0).empty());
    CHECK(has(store.list_json(), "\"tiny:latest\""));
    CHECK(has(store.show_json("tiny"), "\"system\":\"Be brief.\""));
    const auto answer = store.handle_request(MKEEP_ENDPOINT_SHOW, R"({"model":"tiny"})");
    CHECK(answer.second == store.show_json("tiny"));
    CHECK(store.handle_request(MKEEP_ENDPOINT_TAGS).first == 200);
    CHECK(store.handle_request(MKEEP_ENDPOINT_DELETE, R"({"model":"nope"})").first == 404);

    const Model model = store.model("TINY");
    const auto line = list.models().at(1).value();
    CHECK(model.name() == "tiny:latest" && model.digest() == view(line.digest));
    CHECK(model.size() == line.n_bytes && model.modified() > 0);
    CHECK(model.layer_count() == 6 && model.layers().vector().size() == 6);
    CHECK(model.paths("projector").size() == 1);
    CHECK(model.path() == store.path("tiny") && model.paths("model")[0] == model.path());
    CHECK(view(model.config().facts().family) == "llama" && has(model.config().json(), "llama"));
    CHECK(model.config().families().at(0) == "llama" && model.config().capabilities().empty());
    CHECK(store.show(model.name()).system() == "Be brief.");
    mkeep_show_options verbose = {};
    verbose.verbose = 1;
    CHECK(model.show(verbose).json() == store.show_json("tiny", verbose));
}

static void a_model_is_shown(const Store &store) {
    const auto show = store.show("tiny");
    const auto details = show.details();
    CHECK(show.system() == "Be brief." && show.chat_template() == "{{ .Prompt }}");
    CHECK(has(plain(show.modelfile()), "/blobs/sha256-"));
    CHECK(view(details.family) == "llama" && details.context_length == 128);
    CHECK(show.families().vector().size() == 1 && show.licenses().at(0) == "MIT");
    CHECK(show.capabilities().vector().at(0) == "completion" && show.messages().empty());
    std::string text;
    for (const auto &parameter : store.show("tiny").parameters())
        text += std::string(view(parameter.key)) + "=" + std::string(view(parameter.text)) + " ";
    CHECK(text == "stop=a stop=b temperature=0.5 ");
    CHECK(show.info(0)->first == "general.architecture" && !show.info(99));
    CHECK(view(show.info(0)->second.str) == "llama" && show.projector_info(0));
    CHECK(show.find_info("llama.context_length")->u == 128 && !show.find_info("nope"));
    CHECK(show.number<int>("llama.context_length") == 128 && !show.number<int>("nope"));
    CHECK(view(show.tensors().at(1)->name) == "output_norm.weight" && !show.tensors().at(2));
}

static void models_are_found_by_what_they_are_made_of(const Store &store,
                                                      const std::string &directory) {
    const std::string id(view(store.list().models().at(0)->digest));
    CHECK(store.identify(id.substr(0, 12)) == "copy:latest");
    const auto found = store.which(store.path("tiny"));
    CHECK(view(found.uses().at(2)->name) == "tiny:latest" && found.problems().empty());
    CHECK(view(found.uses().at(2)->kind) == "model" && has(found.json(), "\"uses\":["));
    const std::string other = directory + "-other";
    mkeep_store_options create = {};
    create.create = 1;
    const auto several = Store::of_several({other, directory}, create);
    CHECK(several.roots().vector().size() == 2 && several.roots().at(0) == other);
    CHECK(several.root() == other && several.path("tiny") == store.path("tiny"));
    CHECK(view(several.list().models().at(0)->store) == directory);
    CHECK(view(store.list().models().at(0)->store).empty());
    const auto linked = store.link("tiny", directory + "-links");
    CHECK(linked.links().at(0)->file_size == 736 && linked.left_out().empty());
    CHECK(linked.not_remembered().empty() && has(linked.json(), "tiny.gguf"));
    const auto links = store.check_links();
    CHECK(links.ok() && links.links().at(0)->state == MKEEP_LINK_STATE_CURRENT);
    CHECK(has(links.json(), "\"current\""));
    store.forget_links({directory + "-links"});
    const auto nowhere = Store::diagnose(directory + "/no/such");
    CHECK(!nowhere.ok() && has(plain(view(nowhere.issues().at(0)->path)), "/no/such"));
    CHECK(Store::diagnose(directory).ok());
    setenv("OLLAMA_MODELS", directory.c_str(), 1);
    CHECK(view(Store::diagnose().locations().at(0)->path) == directory);
}

static void a_model_is_made_of_a_model(const Store &store, const std::string &directory) {
    const auto path = directory + "/Modelfile";
    std::ofstream(path) << "FROM tiny\nSYSTEM other\nPARAMETER low_vram 1\n";
    CHECK(store.import_file(path, "made").name() == "made:latest");
    mkeep_import_options again = {};
    again.replace = 1;
    const auto made = store.import_modelfile(path, "made", again);
    CHECK(made.name() == "made:latest" && made.ignored().at(0) == "low_vram");
    CHECK(store.show("made").system() == "other" && store.path("made") == store.path("tiny"));
    const auto deleted = store.remove("made");
    CHECK(deleted.models().at(0) == "made:latest" && deleted.blobs().vector().size() == 1);
    CHECK(deleted.bytes() > 0 && deleted.failures().empty() && deleted.aliases().empty());
    CHECK(deleted.restored().empty() && deleted.kept().empty());
    const auto shared = deleted.shared().at(0);
    CHECK(shared && shared->n_models == 2);
    CHECK((deleted.shared_models(0).vector() ==
           std::vector<std::string_view>{"copy:latest", "tiny:latest"}));
    CHECK(std::remove(path.c_str()) == 0);
}

static void a_file_outlives_its_model(const Store &store) {
    Gguf outlives(store.path("tiny"));
    CHECK(store.gguf("tiny").json() == outlives.json());
    {
        Gguf gguf = store.model("tiny").gguf();
        outlives = gguf;
        Gguf moved = std::move(gguf);
        CHECK(moved.version() == 3 && moved.json() == outlives.json());
    }
    CHECK(outlives.string("general.architecture") == "llama" && outlives.size() == 9);
    CHECK(outlives.pair(0)->first == "general.architecture" && !outlives.pair(9));
    CHECK(outlives.string("no.such.key").empty() && !outlives.find("no.such.key"));
    const auto tokens = outlives.find("tokenizer.ggml.tokens")->array;
    const auto words = Gguf::strings(tokens);
    CHECK(words.size() == 4 && words[2] == "hello");
    CHECK(view(Gguf::at(tokens, 3)->str) == "world" && !Gguf::at(tokens, 4));
    CHECK(modelkeep::strings(tokens) == words && !modelkeep::numbers<int>(tokens));
    const auto scores = outlives.find("tokenizer.ggml.scores")->array;
    CHECK(modelkeep::numbers<float>(scores)->back() == -3.5f && !modelkeep::numbers<int>(scores));
    CHECK(outlives.number<std::uint8_t>("llama.context_length") == 128);
    CHECK(!outlives.number<std::int8_t>("llama.context_length"));
    CHECK(outlives.number<double>("llama.context_length") == 128.0);
    CHECK(outlives.number<int>("llama.rope.freq_base") == 10000);
    CHECK(outlives.number<float>("llama.rope.freq_base") == 10000.0f);
    CHECK(outlives.number<bool>("tokenizer.ggml.add_bos_token") == true);
    CHECK(!outlives.number<int>("tokenizer.ggml.add_bos_token"));
    CHECK(!outlives.number<int>("general.architecture") && !outlives.number<bool>("nope"));
    CHECK(outlives.file_type() == "F16" && outlives.header_size() <= outlives.data_offset());
    CHECK(outlives.tensor_count() == 2 && outlives.parameter_count() == 40);
    std::uint64_t bytes = 0;
    for (const auto &tensor : outlives.tensors()) bytes += tensor.n_bytes;
    CHECK(bytes == 160 && outlives.data_offset() + bytes == outlives.file_size());
    CHECK(outlives.alignment() == 32 && !outlives.is_big_endian());
    CHECK(outlives.warnings().empty() && outlives.warning_count() == 0);
}

static void headers_are_read_through_functions(const char *fixture) {
    std::ifstream file(fixture, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto read = [&](std::uint8_t *buffer, std::size_t len, std::uint64_t at) {
        return static_cast<std::ptrdiff_t>(
            bytes.copy(reinterpret_cast<char *>(buffer), len, static_cast<std::size_t>(at)));
    };
    const auto gguf = Gguf::from_read_at(bytes.size(), read);
    CHECK(gguf.tensor_count() == 2 && gguf.tensors().at(1)->data == nullptr);
    bool is_thrown_on = false;
    try {
        const modelkeep::ReadAt fails = [](auto, auto, auto) -> std::ptrdiff_t { throw 7; };
        Gguf::from_read_at(bytes.size(), fails);
    } catch (int number) {
        is_thrown_on = number == 7;
    }
    CHECK(is_thrown_on);
    const modelkeep::ReadAt none = [](auto, auto, auto) { return -1; };
    CHECK(thrown([&] { Gguf::from_read_at(bytes.size(), none); }).status() == MKEEP_STATUS_IO);
}

static void files_are_edited(const char *fixture, const std::filesystem::path &directory) {
    using modelkeep::GgufChange;
    const auto to = directory / "edited.gguf";
    const std::vector<GgufChange> changes = {
        GgufChange::set("general.name", "Edited"),
        GgufChange::set("llama.context_length", "64", "u64"),
        GgufChange::remove("general.file_type"),
        GgufChange::rename("general.architecture", "architecture"),
    };
    modelkeep::edit_gguf(fixture, to, changes);
    {
        // Closed again: Windows replaces no file that is mapped.
        const Gguf edited(to);
        CHECK(edited.number<int>("llama.context_length") == 64);
        CHECK(!edited.find("general.file_type") && edited.find("architecture"));
    }
    CHECK(thrown([&] { modelkeep::edit_gguf(fixture, to, changes); }).status() ==
          MKEEP_STATUS_ALREADY_EXISTS);
    modelkeep::GgufEditOptions options;
    options.replace = true;
    modelkeep::edit_gguf(fixture, to, changes, options);
    modelkeep::edit_gguf_in_place(to, {GgufChange::set("general.name", "edited")});
    CHECK(Gguf(to).find("general.name"));
    int calls = 0;
    modelkeep::edit_gguf(fixture, to, changes, options, [&](auto, auto) { return ++calls > 0; });
    CHECK(calls >= 2);
    CHECK(thrown([&] {
              modelkeep::edit_gguf(fixture, to, changes, options, [](auto, auto) { return false; });
          }).status() == MKEEP_STATUS_CANCELLED);
}

static void files_are_split_merged_and_compared(const char *fixture, const Store &store,
                                                const std::filesystem::path &directory) {
    modelkeep::GgufSplitOptions options;
    const auto prefix = directory / "part", to = directory / "merged.gguf";
    CHECK(thrown([&] { modelkeep::split_gguf(fixture, prefix, options); }).status() ==
          MKEEP_STATUS_INVALID_ARGUMENT);
    options.max_tensors = 1;
    int calls = 0;
    const auto count = [&](auto, auto) { return ++calls > 0; };
    const auto stop = [](auto, auto) { return false; };
    CHECK(modelkeep::split_gguf(fixture, prefix, options, count) == 2 && calls >= 2);
    const auto part = directory / "part-00002-of-00002.gguf";
    CHECK(thrown([&] { modelkeep::merge_gguf(part, to, false, stop); }).status() ==
          MKEEP_STATUS_CANCELLED);
    modelkeep::merge_gguf(part, to);
    modelkeep::merge_gguf(part, to, true, count);
    const Gguf whole(fixture), merged(to);
    modelkeep::GgufHashOptions hash;
    hash.sha256 = hash.tensors = false;
    CHECK(has(whole.hash_json(hash, count), "\"sha256\":null"));
    CHECK(whole.hash_json() == merged.hash_json());
    CHECK(thrown([&] { whole.hash_json({}, stop); }).status() == MKEEP_STATUS_CANCELLED);
    const auto diff = whole.diff_json(merged, count);
    CHECK(!diff.first && has(diff.second, "\"equal_tensors\":2"));
    CHECK(thrown([&] { whole.diff_json(merged, stop); }).status() == MKEEP_STATUS_CANCELLED);
    store.import(part, "split");
    CHECK(has(store.shared_tensors_json({"split"}, count), "\"sets\":[]"));
    CHECK(thrown([&] { store.shared_tensors_json({}, stop); }).status() == MKEEP_STATUS_CANCELLED);
    store.remove("split");
}

static void files_are_written(const std::filesystem::path &directory) {
    const auto to = directory / "written.gguf";
    const float data[] = {1, 2, 3, 4};
    modelkeep::GgufWriterOptions options;
    options.alignment = 64;
    modelkeep::GgufWriter writer(options);
    writer.set("general.architecture", "llama").set("x.yes", true).set("x.short", std::int16_t(-7));
    writer.set("x.half", 0.5f).set("x.list", std::vector<std::uint64_t>{1, 1ull << 60});
    writer.set("x.words", std::vector<std::string>{"a", "bc"});
    writer.tensor("w", {4}, 0, data, sizeof data);
    writer.write(to);
    const Gguf gguf(to);
    CHECK(gguf.alignment() == 64 && gguf.string("general.architecture") == "llama");
    CHECK(gguf.number<int>("x.short") == -7 && gguf.find("x.yes")->u == 1);
    CHECK(gguf.find("x.half")->type == MKEEP_VALUE_TYPE_F32 && gguf.find("x.half")->f == 0.5);
    CHECK(Gguf::at(gguf.find("x.list")->array, 1)->u == 1ull << 60);
    CHECK(Gguf::strings(gguf.find("x.words")->array).at(1) == "bc");
    CHECK(gguf.dequantize(0, 0, 1) == std::vector<float>(data, data + 4));
    CHECK(thrown([&] { writer.write(to); }).status() == MKEEP_STATUS_ALREADY_EXISTS);
    CHECK(thrown([&] { writer.write(to, true, [](auto, auto) { return false; }); }).status() ==
          MKEEP_STATUS_CANCELLED);
    modelkeep::GgufWriter copied;
    copied.set("x.words", *gguf.find("x.words"));
    // Not over the file that is open: Windows refuses that.
    const auto over = directory / "over.gguf";
    writer.write(over);
    copied.write(over, true);
    CHECK(Gguf(over).size() == 1);
}

static void files_are_opened_as_asked(const char *fixture) {
    modelkeep::GgufOptions options;
    options.mmap = false;
    options.header_only = true;
    CHECK(Gguf(fixture, options).tensors().at(1)->data == nullptr);
    const Parts parts(fixture);
    CHECK(parts.size() == 1 && parts.tensor_count() == 2 && !parts.tensor(2) && !parts.at(1));
    CHECK(parts.tensor(1)->first == 0 && parts.tensor(1)->second.n_bytes == 32);
    CHECK(parts.at(0)->size() == 9 && parts.parameter_count() == 40);
    std::ifstream file(fixture, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const auto gguf = Gguf::from_bytes(bytes.data(), bytes.size());
    const auto *data = reinterpret_cast<const char *>(gguf.tensors().at(1)->data);
    CHECK(data == bytes.data() + gguf.tensors().at(1)->offset);
    CHECK(thrown([&] { Gguf::from_bytes(bytes.data(), 9); }).parse_error());
}

static void blobs_come_as_streams(const Store &store) {
    std::istringstream good("abc"), bad("abd");
    const auto digest = store.add_blob(good);
    CHECK(has(digest, "sha256:ba7816bf") && store.has_blob(digest));
    CHECK(!std::ifstream(store.blob_path(digest)).fail());
    const auto wrong = thrown([&] { store.add_blob(bad, digest); });
    CHECK(wrong.status() == MKEEP_STATUS_CORRUPT);
}

/// Every bound of a type, and the first number beyond it.
static void a_number_is_had_where_its_type_has_it() {
    using modelkeep::number;
    mkeep_value value = {};
    value.type = MKEEP_VALUE_TYPE_U64;
    value.u = UINT64_MAX;
    CHECK(number<std::uint64_t>(value) == UINT64_MAX && !number<std::int64_t>(value));
    value.u = 127;
    CHECK(number<std::int8_t>(value) == 127 && number<float>(value) == 127.0f);
    value.u = 128;
    CHECK(!number<std::int8_t>(value) && number<std::uint8_t>(value) == 128);
    value.type = MKEEP_VALUE_TYPE_I64;
    value.i = INT64_MIN;
    CHECK(number<std::int64_t>(value) == INT64_MIN && !number<std::uint64_t>(value));
    value.i = -129;
    CHECK(!number<std::int8_t>(value) && number<std::int16_t>(value) == -129);
    value.i = -128;
    CHECK(number<std::int8_t>(value) == -128 && number<double>(value) == -128.0);
    value.type = MKEEP_VALUE_TYPE_F64;
    value.f = 18446744073709551616.0;
    CHECK(!number<std::uint64_t>(value) && number<double>(value) == value.f);
    value.f = -9223372036854775808.0;
    CHECK(number<std::int64_t>(value) == INT64_MIN);
    value.f = 0.5;
    CHECK(!number<int>(value) && number<float>(value) == 0.5f);
    value.f = 1e300;
    CHECK(!number<float>(value) && !number<int>(value));
    value.f = std::nan("");
    CHECK(!number<int>(value) && number<float>(value) != number<float>(value));
    CHECK(!number<bool>(value) && !modelkeep::text(value));
    CHECK(modelkeep::human_size(2019393189) == "2.02 GB");
    CHECK(modelkeep::human_number(8030261248) == "8.0B");
}

#ifdef __cpp_lib_expected
static void errors_are_values(const Store &store) {
    const auto show = modelkeep::attempt([&] { return store.show("tiny"); });
    CHECK(show && show->system() == "Be brief.");
    const auto none = modelkeep::attempt([&] { return store.show("nope"); });
    CHECK(!none && none.error().status() == MKEEP_STATUS_NOT_FOUND);
    CHECK(!modelkeep::attempt([&] { store.rename("nope", "other"); }));
    const auto stopped = modelkeep::attempt(
        [&] { return store.verify({}, {}, [](auto, auto) { return false; }); });
    CHECK(stopped.error().status() == MKEEP_STATUS_CANCELLED);
}
#endif

#if defined(__cpp_lib_ranges) && (!defined(__clang__) || __clang_major__ > 15)
static_assert(std::ranges::input_range<decltype(std::declval<Store>().list().models())>);

static void ranges_go_into_views(const Store &store) {
    const auto is_local = [](const auto &model) { return model.remote_host.len == 0; };
    std::string names;
    for (const auto &model : store.list().models() | std::views::filter(is_local))
        names += std::string(view(model.name)) + " ";
    CHECK(names == "copy:latest tiny:latest ");
    CHECK(std::ranges::count_if(store.list().models(), is_local) == 2);
}
#endif

static void errors_are_exceptions(const Store &store, const std::string &directory) {
    const auto near = thrown([&] { store.remove("tiny:7b"); });
    CHECK(near.suggestions().size() == 1 && near.suggestions().at(0) == "tiny:latest");
    const auto missing = thrown([&] { store.remove("nope"); });
    CHECK(missing.status() == MKEEP_STATUS_NOT_FOUND && missing.http_status() == 404);
    CHECK(missing.what() == std::string("model 'nope:latest' not found") && !missing.parse_error());
    const auto absent = thrown([&] { Store(directory + "/no/such"); });
    CHECK(absent.status() == MKEEP_STATUS_FILE_NOT_FOUND && absent.os() == ENOENT);
    CHECK(absent.path() == directory + "/no/such" && absent.suggestions().empty());
    const auto config = store.model("tiny").paths("config").at(0);
    const auto broken = thrown([&] { Gguf gguf(config); });
    CHECK(broken.status() == MKEEP_STATUS_INVALID_GGUF);
    CHECK(broken.parse_error()->code == "bad_magic");
    const auto cut = thrown([&] { store.remove(std::string_view("tiny\0:7b", 8)); });
    CHECK(cut.status() == MKEEP_STATUS_INVALID_ARGUMENT && cut.http_status() == 400);
    const auto refused = thrown([&] { Gguf gguf(config + "/x"); });
#ifdef _WIN32
    // Below a file there is nothing, as below what is missing.
    CHECK(refused.status() == MKEEP_STATUS_FILE_NOT_FOUND && refused.os() != 0);
#else
    CHECK(refused.status() == MKEEP_STATUS_IO && refused.os() != 0);
#endif
}

static void a_verification_can_be_watched_and_stopped(const Store &store) {
    std::uint64_t last = 0;
    const auto watch = [&](std::uint64_t done, std::uint64_t total) {
        last = done;
        return done <= total;
    };
    const auto report = store.verify({"tiny"}, {true, true}, watch);
    CHECK(report.ok() && last > 0 && report.hashed_bytes() + report.cached_bytes() >= last);
    CHECK(report.size() == 5 && report.blobs().at(0)->status == MKEEP_BLOB_STATUS_OK);
    CHECK(report.models(0).at(0) == "tiny:latest" && !report.models(0).at(1));
#ifdef _WIN32
    // Nothing says there who may write to the record.
    const bool caches = false;
#else
    const bool caches = true;
#endif
    CHECK(report.cached_blobs() <= 5 && report.cache_error().empty() == caches);
    CHECK(!report.unsupported(0) && report.warnings(0).empty());
    CHECK(!report.parse_error(0) && report.broken_models().empty() && report.problems().empty());
    CHECK(has(report.json(), "\"cached\":"));
    const auto stopped = thrown([&] { store.verify({}, {}, [](auto, auto) { return false; }); });
    CHECK(stopped.status() == MKEEP_STATUS_CANCELLED);
    try {
        store.verify({}, {}, [](auto, auto) -> bool { throw std::runtime_error("enough"); });
        CHECK(!"thrown on");
    } catch (const std::runtime_error &error) {
        CHECK(error.what() == std::string("enough"));
    }
    std::thread other([&] { CHECK(store.verify().ok()); });
    CHECK(store.verify().ok());
    other.join();
}

static void a_store_is_measured_and_cleaned(const Store &store, const std::string &directory) {
    const auto usage = store.usage();
    CHECK(usage.totals().orphans.n_files == 1 && usage.problems().empty());
    CHECK(view(usage.models().at(1)->name) == "tiny:latest");
    CHECK(has(usage.json(), "\"orphans\":{\"files\":1,"));
    const auto diagnosis = store.doctor();
    CHECK(diagnosis.ok() && diagnosis.issues().empty() && diagnosis.blobs() == 5);
    CHECK(diagnosis.verified() <= diagnosis.blobs());
    CHECK(view(diagnosis.locations().at(0)->path) == directory && !diagnosis.notes().empty());
    CHECK(has(diagnosis.json(), "\"issues\":[]"));
    const auto repaired = store.repair(store.verify());
    CHECK(repaired.quarantined().empty() && repaired.renamed().empty());
    CHECK(repaired.changed().empty() && has(repaired.json(), "\"quarantined\":[]"));
    mkeep_gc_options options = {};
    options.no_grace = 1;
    options.dry_run = 1;
    const auto would = store.gc(options);
    CHECK(would.dry_run() && would.blobs().vector().size() == 1 && would.bytes() > 0);
    CHECK(store.gc().young() == 1);
    try {
        store.gc(options, [](auto, auto) -> bool { throw std::runtime_error("enough"); });
        CHECK(!"thrown on");
    } catch (const std::runtime_error &error) {
        CHECK(error.what() == std::string("enough"));
    }
    options.dry_run = 0;
    const auto maintained = store.maintain(options);
    const auto collected = maintained.collected();
    CHECK(store.rename_old_blobs().renamed().empty());
    CHECK(maintained.renamed().empty() && collected.blobs().vector() == would.blobs().vector());
    CHECK(collected.partials().empty() && collected.leftovers().empty());
    CHECK(collected.restored().empty() && collected.kept().empty());
    CHECK(has(maintained.json(), collected.json().c_str()));
    const auto outlives = store.maintain(options).collected();
    CHECK(outlives.blobs().empty() && has(outlives.json(), "\"blobs\":[]"));
}

static void many_are_removed_at_once(const Store &store) {
    mkeep_delete_options trial = {};
    trial.dry_run = 1;
    const auto would = store.remove({"tiny", "copy"}, trial);
    CHECK(would.dry_run() && would.bytes() > 0 && store.list().size() == 2);
    const auto removed = store.remove(std::vector<std::string>{"tiny", "nope"});
    CHECK(!removed.dry_run());
    const auto failure = removed.failures().at(0);
    CHECK(failure && view(failure->name) == "nope" && failure->status == MKEEP_STATUS_NOT_FOUND);
    CHECK(has(removed.json(), "'nope:latest' not found"));
    store.remove("copy");
    CHECK(store.list().size() == 0 && store.verify().blobs().empty());
}

static void models_travel(const Store &store, const std::string &directory) {
    const auto file = directory + "/tiny.tar";
    const auto exported = store.export_models({"tiny"}, file);
    CHECK(exported.models().vector().size() == 1 && exported.blobs() > 0 && exported.bytes() > 736);
    CHECK(has(exported.json(), "\"tiny:latest\""));
    try {
        store.export_models({"tiny"}, file);
        CHECK(!"replaced");
    } catch (const modelkeep::Error &error) {
        CHECK(error.status() == MKEEP_STATUS_ALREADY_EXISTS);
    }
    mkeep_import_archive_options options = {};
    options.name = "copy";
    options.replace = 1;
    int calls = 0;
    const auto imported =
        store.import_archive(file, options, [&](auto, auto) { return ++calls > 0; });
    CHECK(view(imported.models().at(0)->name) == "copy:latest" && calls > 1);
    CHECK(imported.new_blobs() == 0 && imported.new_bytes() == 0);
    CHECK(imported.shared_blobs() == exported.blobs());
    CHECK(has(imported.json(), "\"shared_blobs\":"));
    CHECK(Store::is_archive(file) && !Store::is_archive(directory + "/manifests"));
    CHECK(!std::remove(file.c_str()));
    std::stringstream stream;
    CHECK(store.export_to({"tiny"}, stream).blobs() == exported.blobs());
    calls = 0;
    const auto came = store.import_stream(stream, options, [&](auto, auto) { return ++calls > 0; });
    CHECK(came.new_blobs() == 0 && calls > 1);
    stream.setstate(std::ios::badbit);
    CHECK(thrown([&] { store.export_to({"tiny"}, stream); }).status() == MKEEP_STATUS_IO);
    const auto manifest = directory + "/manifests/registry.ollama.ai/library/tiny/latest";
    const auto loose = store.import_manifest(manifest, directory + "/blobs", "copy", options);
    CHECK(loose.shared_blobs() == exported.blobs());
}

static void the_default_store_is_opened_with_options(const char *path) {
    CHECK(!setenv("OLLAMA_MODELS", path, 1));
    mkeep_store_options options = {};
    options.read_only = 1;
    const Store store(options);
    CHECK(store.root() == path && store.list().size() != 0);
    const auto refused = thrown([&] { store.copy("copy", "again"); });
    CHECK(refused.status() == MKEEP_STATUS_READ_ONLY);
}

int main(int argc, char *argv[]) {
    if (argc != 3) return 2;
    CHECK(modelkeep::fits() && !modelkeep::version().empty());
    mkeep_store_options options = {};
    options.create = 1;
    options.no_delete_delay = 1;
    const Store store(argv[2], options);
    CHECK(store.root() == argv[2]);
    models_are_made_and_read(store, argv[1]);
    a_model_is_shown(store);
    a_number_is_had_where_its_type_has_it();
#ifdef __cpp_lib_expected
    errors_are_values(store);
#endif
#if defined(__cpp_lib_ranges) && (!defined(__clang__) || __clang_major__ > 15)
    ranges_go_into_views(store);
#endif
    models_are_found_by_what_they_are_made_of(store, argv[2]);
    a_model_is_made_of_a_model(store, argv[2]);
    a_file_outlives_its_model(store);
    files_are_opened_as_asked(argv[1]);
    const auto types = modelkeep::tensor_types();
    CHECK(types.size() > 20 && types.front().code == 0 && types.back().block_bytes > 0);
    headers_are_read_through_functions(argv[1]);
    files_are_edited(argv[1], argv[2]);
    files_are_written(argv[2]);
    files_are_split_merged_and_compared(argv[1], store, argv[2]);
    blobs_come_as_streams(store);
    errors_are_exceptions(store, argv[2]);
    a_verification_can_be_watched_and_stopped(store);
    a_store_is_measured_and_cleaned(store, argv[2]);
    models_travel(store, argv[2]);
    the_default_store_is_opened_with_options(argv[2]);
    many_are_removed_at_once(store);
    std::cout << "the owners hold\n";
}
