// modelkeep for C++17: owners for the handles of modelkeep.h, and exceptions for its errors.
//
// Every object may be used from many threads at once, but for its end and assignments to it. What
// is a std::string_view, an mkeep_value, an mkeep_tensor or an mkeep_layer is borrowed: it lives as
// long as the object that gave it, and for a Gguf as long as any copy of it.
#ifndef MODELKEEP_HPP
#define MODELKEEP_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "modelkeep.h"

namespace modelkeep {

/// Where a GGUF file is wrong.
struct Fault {
    std::string code, path, message;
    std::uint64_t offset;
};

/// What went wrong.
class Error : public std::runtime_error {
public:
    Error(mkeep_status status, const mkeep_error *error)
        : std::runtime_error(std::string(mkeep_error_message(error).ptr)), status_(status),
          http_status_(mkeep_error_http_status(error)), os_(mkeep_error_os(error)),
          path_(mkeep_error_path(error).ptr) {
        mkeep_str name;
        for (std::size_t i = 0; mkeep_error_suggestion(error, i, &name); i++)
            suggestions_.emplace_back(name.ptr, name.len);
        mkeep_fault fault;
        if (mkeep_error_fault(error, &fault))
            fault_ = Fault{fault.code.ptr, fault.path.ptr, fault.message.ptr, fault.offset};
    }

    /// The row of the table of errors.
    mkeep_status status() const noexcept { return status_; }
    /// The HTTP status for it, as in 404.
    int http_status() const noexcept { return http_status_; }
    /// The operating system's number; 0 where there is none.
    int os() const noexcept { return os_; }
    /// The file or directory that it is about; empty where there is none.
    const std::string &path() const noexcept { return path_; }
    /// The stored names that may have been meant, the nearest first.
    const std::vector<std::string> &suggestions() const noexcept { return suggestions_; }
    /// Where a GGUF file is wrong, where that is what went wrong.
    const std::optional<Fault> &fault() const noexcept { return fault_; }

private:
    mkeep_status status_;
    int http_status_, os_;
    std::string path_;
    std::vector<std::string> suggestions_;
    std::optional<Fault> fault_;
};

/// The text of C as that of C++, borrowed.
inline std::string_view view(mkeep_str text) noexcept { return {text.ptr, text.len}; }

namespace detail {

template <typename T, void (*Free)(T *)>
struct Ender {
    void operator()(T *handle) const noexcept { Free(handle); }
};

template <typename T, void (*Free)(T *)>
using Owner = std::unique_ptr<T, Ender<T, Free>>;

inline std::string copy(mkeep_str text) { return std::string(view(text)); }

/// Runs a call that takes the place of an error, and throws what it puts there. The place is made
/// here, before the call: an error that is passed by value to its check is lost.
template <typename Call>
void check(Call call) {
    mkeep_error *error = nullptr;
    const mkeep_status status = call(&error);
    const Owner<mkeep_error, mkeep_error_free> owner(error);
    if (status != MKEEP_STATUS_OK) throw Error(status, error);
}

/// Runs a call that makes a handle.
template <typename T, void (*Free)(T *), typename Call>
Owner<T, Free> make(Call call) {
    T *handle = nullptr;
    check([&](mkeep_error **error) { return call(&handle, error); });
    return Owner<T, Free>(handle);
}

/// Runs a call whose result is a text.
template <typename Call>
std::string text(Call call) {
    const auto owner = make<mkeep_text, mkeep_text_free>(call);
    return copy(mkeep_text_str(owner.get()));
}

inline std::vector<const char *> pointers(const std::vector<std::string> &texts) {
    std::vector<const char *> pointers;
    for (const auto &one : texts) pointers.push_back(one.c_str());
    return pointers;
}

} // namespace detail

/// A model of a list.
struct Summary {
    std::string name, digest, format, family, parameter_size, quantization_level;
    std::int64_t size;     ///< The bytes of all blobs, as the manifest states them.
    std::int64_t modified; ///< Nanoseconds since 1970.
};

/// A blob of a report.
struct Finding {
    mkeep_blob_status status;
    std::string digest, path, detail;
    std::uint64_t size;
    bool intact; ///< Whether its bytes have the digest.
};

/// What a verification found.
struct Report {
    bool ok;
    std::vector<Finding> blobs;
    std::string json;
};

/// How to verify.
struct VerifyOptions {
    bool gguf = false;     ///< Whether GGUF files are read strictly, too.
    bool use_cache = false; ///< Whether to hash only what changed since a run that used the cache.
};

/// A GGUF file. Copies share it.
class Gguf {
public:
    /// Opens a file.
    explicit Gguf(const std::string &path, bool lenient = false, bool mmap = true)
        : handle_(detail::make<mkeep_gguf, mkeep_gguf_free>(
              [&](mkeep_gguf **gguf, mkeep_error **error) {
                  return mkeep_gguf_open(path.c_str(), lenient, !mmap, gguf, error);
              })) {}
    /// Opens a file whose data are not all there yet: its metadata and its table of tensors.
    static Gguf header_only(const std::string &path, bool lenient = false, bool mmap = true) {
        return Gguf(detail::make<mkeep_gguf, mkeep_gguf_free>(
            [&](mkeep_gguf **gguf, mkeep_error **error) {
                return mkeep_gguf_open_header(path.c_str(), lenient, !mmap, gguf, error);
            }));
    }
    Gguf(const Gguf &other) : handle_(mkeep_gguf_hold(other.get())) {}
    Gguf(Gguf &&) noexcept = default;
    Gguf &operator=(Gguf other) noexcept {
        handle_.swap(other.handle_);
        return *this;
    }
    ~Gguf() = default;

    const mkeep_gguf *get() const noexcept { return handle_.get(); }
    std::uint32_t version() const noexcept { return mkeep_gguf_version(get()); }
    /// The sum of the elements of all tensors.
    std::uint64_t parameter_count() const noexcept { return mkeep_gguf_parameter_count(get()); }
    /// How many pairs of metadata.
    std::size_t size() const noexcept { return mkeep_gguf_count(get()); }
    /// The pair at a place.
    std::optional<std::pair<std::string_view, mkeep_value>> pair(std::size_t index) const noexcept {
        mkeep_str key;
        mkeep_value value;
        if (!mkeep_gguf_get(get(), index, &key, &value)) return std::nullopt;
        return std::pair(view(key), value);
    }
    /// The value of a key.
    std::optional<mkeep_value> find(const std::string &key) const noexcept {
        mkeep_value value;
        if (!mkeep_gguf_find(get(), key.c_str(), &value)) return std::nullopt;
        return value;
    }
    /// The text of a key; empty where it has none.
    std::string_view text(const std::string &key) const noexcept {
        const auto value = find(key);
        return value ? view(value->str) : std::string_view();
    }
    /// The texts of an array.
    static std::vector<std::string_view> texts(const mkeep_array &array) {
        std::vector<std::string_view> texts;
        std::size_t at = 0;
        mkeep_str one;
        while (mkeep_array_next_str(&array, &at, &one)) texts.push_back(view(one));
        return texts;
    }
    /// The element of an array at a place.
    static std::optional<mkeep_value> at(const mkeep_array &array, std::uint64_t index) noexcept {
        mkeep_value value;
        if (!mkeep_array_get(&array, index, &value)) return std::nullopt;
        return value;
    }
    std::vector<mkeep_tensor> tensors() const {
        std::vector<mkeep_tensor> tensors(mkeep_gguf_tensor_count(get()));
        for (std::size_t i = 0; i < tensors.size(); i++) mkeep_gguf_tensor(get(), i, &tensors[i]);
        return tensors;
    }
    std::vector<mkeep_warning> warnings() const {
        std::vector<mkeep_warning> warnings(mkeep_gguf_warning_count(get()));
        for (std::size_t i = 0; i < warnings.size(); i++)
            mkeep_gguf_warning(get(), i, &warnings[i]);
        return warnings;
    }
    /// The head and the warnings as JSON in which nothing is lost.
    std::string json() const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_gguf_json(get(), json, error);
        });
    }

private:
    using Handle = detail::Owner<mkeep_gguf, mkeep_gguf_free>;
    friend class Model;
    friend class Store;
    explicit Gguf(Handle handle) noexcept : handle_(std::move(handle)) {}
    Handle handle_;
};

/// One model: a snapshot of its manifest.
class Model {
public:
    const mkeep_model *get() const noexcept { return handle_.get(); }
    std::string_view name() const noexcept { return view(mkeep_model_name(get())); }
    /// The digest of the manifest: 64 hexadecimal digits.
    std::string_view digest() const noexcept { return view(mkeep_model_digest(get())); }
    /// The bytes of all blobs, as the manifest states them.
    std::int64_t size() const noexcept { return mkeep_model_size(get()); }
    /// Nanoseconds since 1970.
    std::int64_t modified() const noexcept { return mkeep_model_modified(get()); }
    /// What it is made of, the config last.
    std::vector<mkeep_layer> layers() const {
        std::vector<mkeep_layer> layers(mkeep_model_layer_count(get()));
        for (std::size_t i = 0; i < layers.size(); i++) mkeep_model_layer(get(), i, &layers[i]);
        return layers;
    }
    /// The paths of the blobs of a kind, as in `projector`.
    std::vector<std::string> paths(std::string_view kind) const {
        std::vector<std::string> paths;
        for (const auto &layer : layers())
            if (view(layer.kind) == kind) paths.push_back(detail::copy(layer.path));
        return paths;
    }
    /// The path of the GGUF file with the weights.
    std::string path() const {
        return detail::text([&](mkeep_text **path, mkeep_error **error) {
            return mkeep_model_path(get(), path, error);
        });
    }
    /// The GGUF file with the weights.
    Gguf gguf() const {
        return Gguf(detail::make<mkeep_gguf, mkeep_gguf_free>(
            [&](mkeep_gguf **gguf, mkeep_error **error) {
                return mkeep_model_gguf(get(), gguf, error);
            }));
    }
    /// The body of POST /api/show.
    std::string show_json(bool verbose = false) const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_model_show_json(get(), verbose, json, error);
        });
    }

private:
    using Handle = detail::Owner<mkeep_model, mkeep_model_free>;
    friend class Store;
    explicit Model(Handle handle) noexcept : handle_(std::move(handle)) {}
    Handle handle_;
};

/// A models directory, opened.
class Store {
public:
    /// Called with the bytes that are done and those that are to be done; false stops.
    using Progress = std::function<bool(std::uint64_t, std::uint64_t)>;

    /// Opens OLLAMA_MODELS, or else ~/.ollama/models.
    Store() : handle_(open(nullptr)) {}
    /// Opens a directory. `size` and `path` of the options are set here.
    explicit Store(const std::string &path, mkeep_store_options options = {}) {
        options.size = sizeof options;
        options.path = path.c_str();
        handle_ = open(&options);
    }

    const mkeep_store *get() const noexcept { return handle_.get(); }
    std::string_view root() const noexcept { return view(mkeep_store_root(get())); }

    /// All models, newest first. What cannot be read is left out; see doctor_json.
    std::vector<Summary> list() const {
        const auto list = detail::make<mkeep_list, mkeep_list_free>(
            [&](mkeep_list **out, mkeep_error **error) {
                return mkeep_store_list(get(), out, error);
            });
        std::vector<Summary> models;
        mkeep_summary model;
        for (std::size_t i = 0; mkeep_list_get(list.get(), i, &model); i++)
            models.push_back({detail::copy(model.name), detail::copy(model.digest),
                              detail::copy(model.format), detail::copy(model.family),
                              detail::copy(model.parameter_size),
                              detail::copy(model.quantization_level), model.size, model.modified});
        return models;
    }
    /// The body of GET /api/tags.
    std::string list_json() const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_list_json(get(), json, error);
        });
    }
    /// The body of POST /api/show.
    std::string show_json(const std::string &name, bool verbose = false) const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_show_json(get(), name.c_str(), verbose, json, error);
        });
    }
    Model model(const std::string &name) const {
        return Model(detail::make<mkeep_model, mkeep_model_free>(
            [&](mkeep_model **model, mkeep_error **error) {
                return mkeep_store_model(get(), name.c_str(), model, error);
            }));
    }
    /// The path of a model's GGUF file.
    std::string path(const std::string &name) const { return model(name).path(); }
    /// The GGUF file of a model.
    Gguf gguf(const std::string &name) const { return model(name).gguf(); }

    void copy(const std::string &source, const std::string &destination) const {
        detail::check([&](mkeep_error **error) {
            return mkeep_store_copy(get(), source.c_str(), destination.c_str(), error);
        });
    }
    /// Deletes a model; answers as JSON what was done.
    std::string remove(const std::string &name) const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_delete(get(), name.c_str(), json, error);
        });
    }
    /// Deletes several models; answers as JSON what was done, and which of them failed.
    std::string remove(const std::vector<std::string> &names) const {
        const auto texts = detail::pointers(names);
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_delete_all(get(), texts.data(), texts.size(), json, error);
        });
    }
    /// Makes a model of a GGUF file; answers as JSON what was done. `size` of the options is set
    /// here.
    std::string import(const std::string &file, const std::string &name,
                       mkeep_import_options options = {}) const {
        options.size = sizeof options;
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_import(get(), file.c_str(), name.c_str(), &options, json, error);
        });
    }
    /// Makes a model as a Modelfile says; answers as JSON what was done.
    std::string import_modelfile(const std::string &file, const std::string &name,
                                 mkeep_import_options options = {}) const {
        options.size = sizeof options;
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_import_modelfile(get(), file.c_str(), name.c_str(), &options, json,
                                                error);
        });
    }
    /// Verifies the store, or some models; `progress` may be empty. An exception of it does not
    /// cross the library: it stops, and is thrown on.
    Report verify(const std::vector<std::string> &names = {}, VerifyOptions options = {},
                  Progress progress = {}) const {
        const auto texts = detail::pointers(names);
        const mkeep_verify_options plain{sizeof plain, options.gguf, options.use_cache};
        Watch watch{std::move(progress), nullptr};
        try {
            const auto report = detail::make<mkeep_report, mkeep_report_free>(
                [&](mkeep_report **out, mkeep_error **error) {
                    return mkeep_store_verify(get(), texts.data(), texts.size(), &plain, &Watch::call,
                                              &watch, out, error);
                });
            return read(report.get());
        } catch (const Error &) {
            if (watch.thrown) std::rethrow_exception(watch.thrown);
            throw;
        }
    }
    /// Moves damaged blobs aside; answers as JSON what was moved.
    std::string repair_json(const std::vector<std::string> &names = {}) const {
        const auto texts = detail::pointers(names);
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_repair_json(get(), texts.data(), texts.size(), json, error);
        });
    }
    /// What the disk holds, and for whom.
    std::string usage_json() const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_usage_json(get(), json, error);
        });
    }
    /// What is wrong with the store, and what to do.
    std::string doctor_json() const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_doctor_json(get(), json, error);
        });
    }
    /// Removes blobs that no model uses; answers as JSON what was removed.
    std::string gc_json(std::uint64_t grace_seconds = 3600, bool partials = false,
                        bool dry_run = false) const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_gc_json(get(), grace_seconds, partials, dry_run, json, error);
        });
    }
    /// As `gc_json`, with everything that can be said of a collection: set `size` first.
    std::string collect_json(const mkeep_gc_options &options) const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_collect_json(get(), &options, json, error);
        });
    }
    /// Gives blobs their present names, and collects as Ollama does when it starts.
    std::string maintain_json() const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_maintain_json(get(), json, error);
        });
    }
    /// Answers a call of the published API: the HTTP status and the body.
    std::pair<int, std::string> answer(mkeep_call call, std::string_view body = {}) const {
        std::uint16_t status = 0;
        auto response = detail::text([&](mkeep_text **out, mkeep_error **error) {
            const auto *bytes = reinterpret_cast<const std::uint8_t *>(body.data());
            return mkeep_store_answer(get(), static_cast<std::uint32_t>(call), bytes, body.size(),
                                      &status, out, error);
        });
        return {status, std::move(response)};
    }

private:
    using Handle = detail::Owner<mkeep_store, mkeep_store_free>;

    struct Watch {
        Progress progress;
        std::exception_ptr thrown;

        static bool call(void *user, std::uint64_t bytes, std::uint64_t total) {
            auto &watch = *static_cast<Watch *>(user);
            try {
                return !watch.progress || watch.progress(bytes, total);
            } catch (...) {
                watch.thrown = std::current_exception();
                return false;
            }
        }
    };

    static Report read(const mkeep_report *report) {
        Report answer{mkeep_report_is_ok(report), {}, detail::copy(mkeep_report_json(report))};
        mkeep_finding blob;
        for (std::size_t i = 0; mkeep_report_get(report, i, &blob); i++)
            answer.blobs.push_back({blob.status, detail::copy(blob.digest),
                                    detail::copy(blob.path), detail::copy(blob.detail), blob.size,
                                    blob.is_intact});
        return answer;
    }

    static Handle open(const mkeep_store_options *options) {
        return detail::make<mkeep_store, mkeep_store_free>(
            [&](mkeep_store **store, mkeep_error **error) {
                return mkeep_store_open(options, store, error);
            });
    }

    Handle handle_;
};

/// Whether the library is one that this header was made for.
inline bool fits() noexcept { return mkeep_abi_version() == MKEEP_ABI_VERSION; }

} // namespace modelkeep

#endif
