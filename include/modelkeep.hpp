// modelkeep for C++17: owners for the handles of modelkeep.h, and exceptions for its errors.
#ifndef MODELKEEP_HPP
#define MODELKEEP_HPP

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "modelkeep.h"

namespace modelkeep {

/// What went wrong.
class Error : public std::runtime_error {
public:
    Error(mkeep_status status, std::string message, int os)
        : std::runtime_error(std::move(message)), status_(status), os_(os) {}

    /// The row of the table of errors.
    mkeep_status status() const noexcept { return status_; }
    /// The operating system's number; 0 where it was not the system that refused.
    int os() const noexcept { return os_; }

private:
    mkeep_status status_;
    int os_;
};

namespace detail {

template <typename T, void (*Free)(T *)>
struct Ender {
    void operator()(T *handle) const noexcept { Free(handle); }
};

template <typename T, void (*Free)(T *)>
using Owner = std::unique_ptr<T, Ender<T, Free>>;

using Text = Owner<mkeep_text, mkeep_text_free>;

inline std::string_view view(mkeep_str text) noexcept { return {text.ptr, text.len}; }

/// Runs a call that takes the place of an error last, and throws what it puts there.
template <typename Call>
void check(Call call) {
    mkeep_error *error = nullptr;
    const mkeep_status status = call(&error);
    const Owner<mkeep_error, mkeep_error_free> owner(error);
    if (status != MKEEP_STATUS_OK)
        throw Error(status, std::string(view(mkeep_error_message(error))), mkeep_error_os(error));
}

/// Runs a call whose result is a text.
template <typename Call>
std::string text(Call call) {
    mkeep_text *raw = nullptr;
    check([&](mkeep_error **error) { return call(&raw, error); });
    const Text owner(raw);
    return std::string(view(mkeep_text_str(raw)));
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
};

/// What a verification found.
struct Report {
    bool ok;
    std::vector<Finding> blobs;
    std::string json;
};

/// A GGUF file. What is borrowed from it lives as long as any copy of it.
class Gguf {
public:
    /// Opens a file.
    explicit Gguf(const std::string &path, bool lenient = false, bool mmap = true) {
        mkeep_gguf *raw = nullptr;
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_open(path.c_str(), lenient, !mmap, &raw, error);
        });
        handle_.reset(raw);
    }
    Gguf(const Gguf &other) : handle_(mkeep_gguf_hold(other.get())) {}
    Gguf(Gguf &&) noexcept = default;
    Gguf &operator=(Gguf other) noexcept {
        handle_.swap(other.handle_);
        return *this;
    }

    const mkeep_gguf *get() const noexcept { return handle_.get(); }
    /// How many pairs of metadata.
    std::size_t size() const noexcept { return mkeep_gguf_count(get()); }
    /// The value of a key.
    std::optional<mkeep_value> find(const std::string &key) const {
        mkeep_value value;
        if (!mkeep_gguf_find(get(), key.c_str(), &value)) return std::nullopt;
        return value;
    }
    /// The text of a key; empty where it has none.
    std::string_view text(const std::string &key) const {
        const auto value = find(key);
        return value ? detail::view(value->str) : std::string_view();
    }
    /// The texts of an array, borrowed.
    static std::vector<std::string_view> texts(const mkeep_array &array) {
        std::vector<std::string_view> texts;
        std::size_t at = 0;
        mkeep_str text;
        while (mkeep_array_next_str(&array, &at, &text)) texts.push_back(detail::view(text));
        return texts;
    }
    /// The tensors, borrowed.
    std::vector<mkeep_tensor> tensors() const {
        std::vector<mkeep_tensor> tensors(mkeep_gguf_tensor_count(get()));
        for (std::size_t i = 0; i < tensors.size(); i++) mkeep_gguf_tensor(get(), i, &tensors[i]);
        return tensors;
    }

private:
    friend class Store;
    explicit Gguf(mkeep_gguf *raw) : handle_(raw) {}
    detail::Owner<mkeep_gguf, mkeep_gguf_free> handle_;
};

/// A models directory, opened.
class Store {
public:
    /// Opens OLLAMA_MODELS, or else ~/.ollama/models.
    Store() { open(nullptr); }
    /// Opens a directory.
    explicit Store(const std::string &path, mkeep_store_options options = {}) {
        options.size = sizeof options;
        options.path = path.c_str();
        open(&options);
    }

    const mkeep_store *get() const noexcept { return handle_.get(); }

    std::vector<Summary> list() const {
        mkeep_list *raw = nullptr;
        detail::check([&](mkeep_error **error) { return mkeep_store_list(get(), &raw, error); });
        const detail::Owner<mkeep_list, mkeep_list_free> owner(raw);
        std::vector<Summary> models;
        mkeep_summary model;
        for (std::size_t i = 0; mkeep_list_get(raw, i, &model); i++) {
            const auto text = [](mkeep_str text) { return std::string(detail::view(text)); };
            models.push_back({text(model.name), text(model.digest), text(model.format),
                              text(model.family), text(model.parameter_size),
                              text(model.quantization_level), model.size, model.modified});
        }
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
    /// The path of a model's GGUF file.
    std::string path(const std::string &name) const {
        return detail::text([&](mkeep_text **path, mkeep_error **error) {
            return mkeep_store_path(get(), name.c_str(), path, error);
        });
    }
    /// The GGUF file of a model.
    Gguf gguf(const std::string &name) const {
        mkeep_gguf *raw = nullptr;
        detail::check([&](mkeep_error **error) {
            return mkeep_store_gguf(get(), name.c_str(), &raw, error);
        });
        return Gguf(raw);
    }
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
    /// Makes a model of a GGUF file; answers as JSON what was done.
    std::string import(const std::string &file, const std::string &name,
                       bool replace = false) const {
        return detail::text([&](mkeep_text **json, mkeep_error **error) {
            return mkeep_store_import(get(), file.c_str(), name.c_str(), replace, json, error);
        });
    }
    /// Verifies the store, or some models; `progress` may be empty, and stops by answering false.
    /// An exception of it does not cross the library: it stops, and is thrown on.
    Report verify(const std::vector<std::string> &names = {}, bool gguf = false,
                  std::function<bool(std::uint64_t, std::uint64_t)> progress = {}) const {
        std::vector<const char *> texts;
        for (const auto &name : names) texts.push_back(name.c_str());
        Watch watch{std::move(progress), nullptr};
        mkeep_report *raw = nullptr;
        try {
            detail::check([&](mkeep_error **error) {
                return mkeep_store_verify(get(), texts.data(), texts.size(), gguf, &Watch::call,
                                          &watch, &raw, error);
            });
        } catch (const Error &) {
            if (watch.thrown) std::rethrow_exception(watch.thrown);
            throw;
        }
        const detail::Owner<mkeep_report, mkeep_report_free> owner(raw);
        Report report{mkeep_report_is_ok(raw), {}, std::string(detail::view(mkeep_report_json(raw)))};
        mkeep_finding blob;
        for (std::size_t i = 0; mkeep_report_get(raw, i, &blob); i++) {
            const auto text = [](mkeep_str text) { return std::string(detail::view(text)); };
            report.blobs.push_back({blob.status, text(blob.digest), text(blob.path),
                                    text(blob.detail), blob.size});
        }
        return report;
    }

private:
    struct Watch {
        std::function<bool(std::uint64_t, std::uint64_t)> progress;
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

    void open(const mkeep_store_options *options) {
        mkeep_store *raw = nullptr;
        detail::check(
            [&](mkeep_error **error) { return mkeep_store_open(options, &raw, error); });
        handle_.reset(raw);
    }

    detail::Owner<mkeep_store, mkeep_store_free> handle_;
};

} // namespace modelkeep

#endif
