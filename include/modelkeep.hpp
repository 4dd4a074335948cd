/// @file
// modelkeep for C++17 and later: owners for the handles of modelkeep.h, ranges for what they hold,
// and exceptions for its errors; under C++23 std::expected, too.
//
//     const modelkeep::Store store;
//     for (const auto &model : store.list().models())
//         std::cout << modelkeep::view(model.name) << '\n';
//
// Every object may be used from many threads at once, but for its destruction and assignments to
// it. A std::string_view and a struct mkeep_... are borrowed: they live as long as the object that
// they came from, or a range of it, and those of a Gguf as long as any copy of it.
//
// The options are the structs of modelkeep.h, of which `size` is set here, as are `progress` and
// `user` where a call takes a Progress: store.copy("a", "b", {.no_replace = 1}) under C++20.
#ifndef MODELKEEP_HPP
#define MODELKEEP_HPP

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <forward_list>
#include <functional>
#include <istream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if __cplusplus > 202002L && defined(__has_include)
#if __has_include(<expected>)
#include <expected>
#endif
#endif

#include "modelkeep.h"

namespace modelkeep {

/// Borrows a string of C.
inline std::string_view view(mkeep_str text) noexcept { return {text.ptr, text.len}; }

/// Makes a struct of C that states its size; all else of it is zero.
template <typename T>
T sized() noexcept {
    T made{};
    made.size = sizeof made;
    return made;
}

/// What is wrong with a GGUF file, and where.
struct ParseError {
    std::string code;     ///< What it is: a code that never changes, as in `bad_magic`.
    std::string path;     ///< The place in the structure.
    std::string message;  ///< What is wrong, in words.
    std::uint64_t offset; ///< The byte where the item begins that is wrong.
};

/// What went wrong.
class Error : public std::runtime_error {
public:
    /// An error that is found before the library is called.
    Error(mkeep_status status, const char *message)
        : std::runtime_error(message), status_(status), http_status_(400), os_(0) {}
    /// An error of the library, which stays the caller's.
    explicit Error(const mkeep_error *error)
        : std::runtime_error(mkeep_error_message(error).ptr), status_(mkeep_error_status(error)),
          http_status_(mkeep_error_http_status(error)), os_(mkeep_error_os(error)),
          path_(mkeep_error_path(error).ptr) {
        mkeep_str name;
        for (std::size_t i = 0; mkeep_error_suggestion(error, i, &name); i++)
            suggestions_.emplace_back(name.ptr, name.len);
        auto found = sized<mkeep_parse_error>();
        if (mkeep_error_parse_error(error, &found))
            parse_error_ =
                ParseError{found.code.ptr, found.path.ptr, found.message.ptr, found.offset};
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
    const std::optional<ParseError> &parse_error() const noexcept { return parse_error_; }

private:
    mkeep_status status_;
    int http_status_, os_;
    std::string path_;
    std::vector<std::string> suggestions_;
    std::optional<ParseError> parse_error_;
};

namespace detail {

template <typename T, void (*Free)(T *)>
struct Deleter {
    void operator()(T *handle) const noexcept { Free(handle); }
};

template <typename T, void (*Free)(T *)>
using Owner = std::unique_ptr<T, Deleter<T, Free>>;

/// Runs a call that takes the place of an error, and throws what it puts there. The place is made
/// here, before the call: an error that is passed by value to its check is lost.
template <typename Call>
void check(Call call) {
    mkeep_error *error = nullptr;
    const mkeep_status status = call(&error);
    const Owner<mkeep_error, mkeep_error_free> owner(error);
    if (status != MKEEP_STATUS_OK) throw Error(error);
}

/// Runs a call that makes a handle.
template <typename T, void (*Free)(T *), typename Call>
Owner<T, Free> make(Call call) {
    T *handle = nullptr;
    check([&](mkeep_error **error) { return call(&handle, error); });
    return Owner<T, Free>(handle);
}

/// Runs a call whose result is a string.
template <typename Call>
std::string string(Call call) {
    const auto owner = make<mkeep_string, mkeep_string_free>(call);
    return std::string(view(mkeep_string_str(owner.get())));
}

/// Runs a call that makes the JSON of a handle.
template <typename T>
std::string json(const T *handle,
                 mkeep_status (*call)(const T *, mkeep_string **, mkeep_error **)) {
    return string([&](mkeep_string **json, mkeep_error **error) {
        return call(handle, json, error);
    });
}

/// A string as C takes it. One with a NUL inside would be another one there.
inline std::string terminated(std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        throw Error(MKEEP_STATUS_INVALID_ARGUMENT, "a string has a NUL inside");
    return std::string(text);
}

/// A path as the library takes it: the bytes of the system, on Windows UTF-8.
inline std::string native(const std::filesystem::path &path) {
#ifdef _WIN32
    const auto text = path.u8string();
    return terminated({reinterpret_cast<const char *>(text.data()), text.size()});
#else
    return terminated(path.native());
#endif
}

/// Several paths as the library takes them.
inline std::vector<std::string> natives(const std::vector<std::filesystem::path> &paths) {
    std::vector<std::string> texts;
    for (const auto &path : paths) texts.push_back(native(path));
    return texts;
}

/// Names as C takes several.
class Names {
public:
    explicit Names(const std::vector<std::string> &names) {
        for (const auto &name : names) strings_.push_back(terminated(name));
        for (const auto &name : strings_) pointers_.push_back(name.c_str());
    }
    const char *const *data() const noexcept { return pointers_.data(); }
    std::size_t size() const noexcept { return pointers_.size(); }

private:
    std::vector<std::string> strings_;
    std::vector<const char *> pointers_;
};

/// A number as another type, where it has it.
template <typename T, typename From>
std::optional<T> fit(From from) noexcept {
    using Limits = std::numeric_limits<T>;
    if constexpr (std::is_floating_point_v<T>) {
        if (std::is_floating_point_v<From> && sizeof(T) < sizeof(From) &&
            std::isfinite(static_cast<double>(from)) &&
            std::fabs(static_cast<double>(from)) > static_cast<double>(Limits::max()))
            return std::nullopt;
        return static_cast<T>(from);
    } else if constexpr (std::is_floating_point_v<From>) {
        // A power of two, which is exact: the first number that is too large.
        const From end = std::ldexp(From(1), Limits::digits);
        const From first = std::is_signed_v<T> ? -end : From(0);
        if (!(from >= first && from < end) || from != std::trunc(from)) return std::nullopt;
        return static_cast<T>(from);
    } else {
        if constexpr (std::is_signed_v<From>) {
            if (from < 0) {
                if (std::is_unsigned_v<T> || from < static_cast<std::int64_t>(Limits::min()))
                    return std::nullopt;
                return static_cast<T>(from);
            }
        }
        if (static_cast<std::uint64_t>(from) > static_cast<std::uint64_t>(Limits::max()))
            return std::nullopt;
        return static_cast<T>(from);
    }
}

/// What C++ has for an item of C, and a place for one.
template <typename Item>
struct Place {
    static Item make() noexcept { return sized<Item>(); }
    static const Item &read(const Item &item) noexcept { return item; }
    using Value = Item;
};
template <>
struct Place<mkeep_str> {
    static mkeep_str make() noexcept { return {}; }
    static std::string_view read(mkeep_str item) noexcept { return view(item); }
    using Value = std::string_view;
};

} // namespace detail

/// The items that a function of C gets by their places: strings as std::string_view, others as they
/// are. They live as long as the range, or the object that it came from. Under C++20 it is a
/// std::ranges::input_range, for std::views and algorithms.
template <typename Item, typename Get>
class Range {
public:
    /// The items that `get` has.
    explicit Range(Get get) : get_(std::move(get)) {}

    struct End {};
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = typename detail::Place<Item>::Value;
        using difference_type = std::ptrdiff_t;
        using pointer = const value_type *;
        using reference = value_type;

        explicit Iterator(const Get *get) noexcept : get_(get) { read(); }
        value_type operator*() const noexcept { return detail::Place<Item>::read(item_); }
        Iterator &operator++() noexcept {
            index_++;
            read();
            return *this;
        }
        void operator++(int) noexcept { ++*this; }
        friend bool operator==(const Iterator &it, End) noexcept { return !it.found_; }
        friend bool operator==(End, const Iterator &it) noexcept { return !it.found_; }
        friend bool operator!=(const Iterator &it, End) noexcept { return it.found_; }
        friend bool operator!=(End, const Iterator &it) noexcept { return it.found_; }

    private:
        void read() noexcept {
            item_ = detail::Place<Item>::make();
            found_ = (*get_)(index_, &item_);
        }
        const Get *get_;
        std::size_t index_ = 0;
        Item item_ = detail::Place<Item>::make();
        bool found_ = false;
    };

    /// Where it begins. An iterator lives as long as its range.
    Iterator begin() const noexcept { return Iterator(&get_); }
    /// Where it ends.
    End end() const noexcept { return {}; }
    /// Whether there are none.
    bool empty() const noexcept { return begin() == end(); }
    /// The item at a place, where there is one.
    std::optional<typename detail::Place<Item>::Value> at(std::size_t index) const noexcept {
        Item item = detail::Place<Item>::make();
        if (!get_(index, &item)) return std::nullopt;
        return detail::Place<Item>::read(item);
    }
    /// All items at once.
    std::vector<typename detail::Place<Item>::Value> vector() const {
        std::vector<typename detail::Place<Item>::Value> items;
        for (const auto &item : *this) items.push_back(item);
        return items;
    }

private:
    Get get_;
};

namespace detail {

/// Gets the items of a handle.
template <typename H, typename T, typename Item>
struct Items {
    std::shared_ptr<H> handle;
    bool (*get)(const T *, std::size_t, Item *);
    bool operator()(std::size_t index, Item *item) const noexcept {
        return get(handle.get(), index, item);
    }
};

/// Gets the items of an item of a handle.
template <typename H, typename T, typename Item>
struct ItemsOf {
    std::shared_ptr<H> handle;
    std::size_t index;
    bool (*get)(const T *, std::size_t, std::size_t, Item *);
    bool operator()(std::size_t nth, Item *item) const noexcept {
        return get(handle.get(), index, nth, item);
    }
};

template <typename H, typename T, typename Item>
auto range(const std::shared_ptr<H> &handle, bool (*get)(const T *, std::size_t, Item *)) {
    return Range<Item, Items<H, T, Item>>({handle, get});
}

template <typename H, typename T, typename Item>
auto range(const std::shared_ptr<H> &handle, std::size_t index,
           bool (*get)(const T *, std::size_t, std::size_t, Item *)) {
    return Range<Item, ItemsOf<H, T, Item>>({handle, index, get});
}

/// The key-value pair of a handle at a place.
template <typename T>
std::optional<std::pair<std::string_view, mkeep_value>>
pair(const T *handle, std::size_t index,
     bool (*get)(const T *, std::size_t, mkeep_str *, mkeep_value *)) noexcept {
    mkeep_str key;
    mkeep_value value;
    if (!get(handle, index, &key, &value)) return std::nullopt;
    return std::pair(view(key), value);
}

/// What every owner of a handle has. It is moved, not copied; the ranges that came from it share
/// it.
template <typename T, void (*Free)(T *)>
class Handle {
public:
    /// The handle of C, which stays ours.
    const T *get() const noexcept { return owner_.get(); }

protected:
    explicit Handle(Owner<T, Free> owner) : owner_(std::move(owner)) {}
    template <typename Call>
    explicit Handle(Call call) : owner_(make<T, Free>(call)) {}
    Handle(Handle &&) noexcept = default;
    Handle &operator=(Handle &&) noexcept = default;
    ~Handle() = default;
    std::shared_ptr<T> owner_;
};

} // namespace detail

/// The number of a value as a T, where it is a number and T has it: `std::uint64_t`, `int`,
/// `double`; a bool is the value of a truth, and of nothing else.
template <typename T>
std::optional<T> number(const mkeep_value &value) noexcept {
    static_assert(std::is_arithmetic_v<T>, "a number has an arithmetic type");
    if constexpr (std::is_same_v<T, bool>) {
        if (value.type != MKEEP_VALUE_TYPE_BOOL) return std::nullopt;
        return value.u != 0;
    } else {
        switch (value.type) {
        case MKEEP_VALUE_TYPE_U8:
        case MKEEP_VALUE_TYPE_U16:
        case MKEEP_VALUE_TYPE_U32:
        case MKEEP_VALUE_TYPE_U64: return detail::fit<T>(value.u);
        case MKEEP_VALUE_TYPE_I8:
        case MKEEP_VALUE_TYPE_I16:
        case MKEEP_VALUE_TYPE_I32:
        case MKEEP_VALUE_TYPE_I64: return detail::fit<T>(value.i);
        case MKEEP_VALUE_TYPE_F32:
        case MKEEP_VALUE_TYPE_F64: return detail::fit<T>(value.f);
        default: return std::nullopt;
        }
    }
}

/// The string of a value, where it is one: bytes that are usually UTF-8.
inline std::optional<std::string_view> text(const mkeep_value &value) noexcept {
    if (value.type != MKEEP_VALUE_TYPE_STR) return std::nullopt;
    return view(value.str);
}

/// The element of an array at a place.
inline std::optional<mkeep_value> at(const mkeep_array &array, std::uint64_t index) noexcept {
    mkeep_value value;
    if (!mkeep_array_get(&array, index, &value)) return std::nullopt;
    return value;
}

/// The numbers of an array, where all are numbers that a T has, in either byte order.
template <typename T>
std::optional<std::vector<T>> numbers(const mkeep_array &array) {
    std::vector<T> found;
    for (std::uint64_t index = 0; const auto value = at(array, index); index++) {
        const auto one = number<T>(*value);
        if (!one) return std::nullopt;
        found.push_back(*one);
    }
    return found;
}

/// The strings of an array; none of one that has others.
inline std::vector<std::string_view> strings(const mkeep_array &array) {
    std::vector<std::string_view> strings;
    std::size_t at = 0;
    mkeep_str one;
    while (mkeep_array_next_str(&array, &at, &one)) strings.push_back(view(one));
    return strings;
}

/// A number of bytes for people, as in `2.02 GB`.
inline std::string human_size(std::uint64_t bytes) { return mkeep_human_size(bytes).text; }

/// A count for people, as in `8.0B`.
inline std::string human_number(std::uint64_t count) { return mkeep_human_number(count).text; }

#ifdef __cpp_lib_expected
/// What a call returns, or the Error that it throws:
///     const auto show = modelkeep::attempt([&] { return store.show("llama3.2"); });
///     if (!show) std::cerr << show.error().what() << '\n';
/// Other exceptions, which a Progress throws, pass.
template <typename Call>
std::expected<std::invoke_result_t<Call>, Error> attempt(Call call) {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
            call();
            return {};
        } else {
            return call();
        }
    } catch (const Error &error) {
        return std::unexpected(error);
    }
}
#endif

/// How to open a GGUF file.
struct GgufOptions {
    bool lenient = false;     ///< Whether to read on where the format is violated without harm.
    bool mmap = true;         ///< Whether to map the file.
    bool header_only = false; ///< Whether the data of tensors may be missing.
};

/// The types of tensors that are known, in the order of their numbers.
inline std::vector<mkeep_tensor_type> tensor_types() {
    std::vector<mkeep_tensor_type> found;
    auto type = sized<mkeep_tensor_type>();
    while (mkeep_tensor_type_get(found.size(), &type)) found.push_back(type);
    return found;
}

/// Fills a buffer with at most that many bytes from an offset on, and returns how many; 0 or less
/// where they cannot be read. An exception is thrown on where the call was made.
using ReadAt = std::function<std::ptrdiff_t(std::uint8_t *, std::size_t, std::uint64_t)>;

/// Called with the bytes that are done and those that are to be done; false cancels. An exception
/// cancels, too, and is thrown on where the call was made.
using Progress = std::function<bool(std::uint64_t, std::uint64_t)>;

/// Which hashes of a GGUF file are computed.
struct GgufHashOptions {
    bool sha256 = true;  ///< Whether SHA-256 is.
    bool xxh64 = true;   ///< Whether XXH64 is.
    bool tensors = true; ///< Whether each tensor is hashed, and not only all together.
};

/// A GGUF file. Copies share it.
class Gguf : public detail::Handle<mkeep_gguf, mkeep_gguf_free> {
public:
    /// Opens a file.
    explicit Gguf(const std::filesystem::path &path, GgufOptions options = {})
        : Handle([&](mkeep_gguf **gguf, mkeep_error **error) {
              const auto plain = of(options);
              return mkeep_gguf_open(detail::native(path).c_str(), &plain, gguf, error);
          }) {}
    /// Reads a file that is in memory, where it has to stay as long as any copy of this.
    static Gguf from_bytes(const void *bytes, std::size_t len, GgufOptions options = {}) {
        return Gguf(nullptr, [&](mkeep_gguf **gguf, mkeep_error **error) {
            const auto plain = of(options);
            return mkeep_gguf_from_bytes(static_cast<const std::uint8_t *>(bytes), len, &plain,
                                         gguf, error);
        });
    }
    /// Reads the header of a file of that size through a function, which is called only before this
    /// returns; the tensors have no data.
    static Gguf from_read_at(std::uint64_t size, const ReadAt &read, GgufOptions options = {}) {
        struct Reader {
            const ReadAt &read;
            std::exception_ptr thrown;
        } reader{read, nullptr};
        const mkeep_read_at read_at = [](void *user, std::uint8_t *buffer, std::size_t len,
                                         std::uint64_t at) -> std::ptrdiff_t {
            auto &from = *static_cast<Reader *>(user);
            try {
                return from.read(buffer, len, at);
            } catch (...) {
                from.thrown = std::current_exception();
                return -1;
            }
        };
        try {
            return Gguf(nullptr, [&](mkeep_gguf **gguf, mkeep_error **error) {
                const auto plain = of(options);
                return mkeep_gguf_from_read_at(size, read_at, &reader, &plain, gguf, error);
            });
        } catch (const Error &) {
            if (reader.thrown) std::rethrow_exception(reader.thrown);
            throw;
        }
    }
    /// Shares the file.
    Gguf(const Gguf &other) : Handle(Owner(mkeep_gguf_retain(other.get()))) {}
    /// Takes the file over.
    Gguf(Gguf &&) noexcept = default;
    /// Shares the file, or takes it over.
    Gguf &operator=(Gguf other) noexcept {
        owner_.swap(other.owner_);
        return *this;
    }
    ~Gguf() = default;

    /// The version of the format.
    std::uint32_t version() const noexcept { return mkeep_gguf_version(get()); }
    /// Whether the numbers of the file are big-endian.
    bool is_big_endian() const noexcept { return mkeep_gguf_is_big_endian(get()); }
    /// The bytes of the file.
    std::uint64_t file_size() const noexcept { return mkeep_gguf_size(get()); }
    /// The alignment of the data of tensors, in bytes.
    std::uint64_t alignment() const noexcept { return mkeep_gguf_alignment(get()); }
    /// Where the data of tensors begin.
    std::uint64_t data_offset() const noexcept { return mkeep_gguf_data_offset(get()); }
    /// The bytes of what comes before them.
    std::uint64_t header_size() const noexcept { return mkeep_gguf_header_size(get()); }
    /// The name of the quantization, as in `Q4_K_M`; empty where the file does not say.
    std::string_view file_type() const noexcept { return view(mkeep_gguf_file_type(get())); }
    /// The sum of the elements of all tensors.
    std::uint64_t parameter_count() const noexcept { return mkeep_gguf_parameter_count(get()); }
    /// How many key-value pairs.
    std::size_t size() const noexcept { return mkeep_gguf_count(get()); }
    /// The key-value pair at a place.
    std::optional<std::pair<std::string_view, mkeep_value>> pair(std::size_t index) const noexcept {
        return detail::pair(get(), index, mkeep_gguf_get);
    }
    /// The value of a key.
    std::optional<mkeep_value> find(std::string_view key) const {
        mkeep_value value;
        if (!mkeep_gguf_find(get(), detail::terminated(key).c_str(), &value)) return std::nullopt;
        return value;
    }
    /// The number of a key as a T, where it has one: `gguf.number<int>("llama.block_count")`.
    template <typename T>
    std::optional<T> number(std::string_view key) const {
        const auto value = find(key);
        return value ? modelkeep::number<T>(*value) : std::nullopt;
    }
    /// The string of a key; empty where it has none.
    std::string_view string(std::string_view key) const {
        const auto value = find(key);
        return value ? view(value->str) : std::string_view();
    }
    /// The strings of an array.
    static std::vector<std::string_view> strings(const mkeep_array &array) {
        return modelkeep::strings(array);
    }
    /// The element of an array at a place.
    static std::optional<mkeep_value> at(const mkeep_array &array, std::uint64_t index) noexcept {
        return modelkeep::at(array, index);
    }
    /// The tensors, in the order of the file.
    auto tensors() const noexcept { return detail::range(owner_, mkeep_gguf_tensor); }
    /// How many tensors there are.
    std::size_t tensor_count() const noexcept { return mkeep_gguf_tensor_count(get()); }
    /// The numbers of some rows of a tensor, dequantized.
    std::vector<float> dequantize(std::size_t tensor, std::uint64_t first_row,
                                  std::uint64_t row_count) const {
        auto found = sized<mkeep_tensor>();
        std::uint64_t rows = 0;
        if (mkeep_gguf_tensor(get(), tensor, &found)) {
            rows = 1;
            for (std::size_t i = 1; i < 8; i++) rows *= found.dims[i];
        }
        // What is not there is refused by the call, for which no room is needed.
        std::vector<float> numbers(row_count <= rows ? row_count * found.dims[0] : 0);
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_dequantize(get(), tensor, first_row, row_count, numbers.data(),
                                         numbers.size(), error);
        });
        return numbers;
    }
    /// What this reader accepts and others may not.
    auto warnings() const noexcept { return detail::range(owner_, mkeep_gguf_warning); }
    /// How many warnings there are.
    std::size_t warning_count() const noexcept { return mkeep_gguf_warning_count(get()); }
    /// The header and the warnings as JSON in which nothing is lost.
    std::string json() const { return detail::json(get(), mkeep_gguf_json); }
    /// The hashes of the tensors as JSON.
    std::string hash_json(GgufHashOptions options = {}, Progress progress = {}) const;
    /// Whether another file is the same, and as JSON what it differs in.
    std::pair<bool, std::string> diff_json(const Gguf &other, Progress progress = {}) const;

private:
    using Owner = detail::Owner<mkeep_gguf, mkeep_gguf_free>;
    friend class Model;
    friend class Parts;
    friend class Store;
    template <typename Call>
    explicit Gguf(std::nullptr_t, Call call) : Handle(call) {}
    explicit Gguf(Owner owner) : Handle(std::move(owner)) {}
    static mkeep_gguf_options of(GgufOptions options) noexcept {
        auto plain = sized<mkeep_gguf_options>();
        plain.lenient = options.lenient;
        plain.no_mmap = !options.mmap;
        plain.header_only = options.header_only;
        return plain;
    }
};

/// The parts of a split model, open and in order.
class Parts : public detail::Handle<mkeep_parts, mkeep_parts_free> {
public:
    /// Opens all parts, given the path of any of them.
    explicit Parts(const std::filesystem::path &path, GgufOptions options = {})
        : Handle([&](mkeep_parts **parts, mkeep_error **error) {
              const auto plain = Gguf::of(options);
              return mkeep_parts_open(detail::native(path).c_str(), &plain, parts, error);
          }) {}

    /// How many parts there are.
    std::size_t size() const noexcept { return mkeep_parts_count(get()); }
    /// The part at a place, where there is one. The first has the metadata of the model.
    std::optional<Gguf> at(std::size_t index) const {
        Gguf::Owner owner(mkeep_parts_gguf(get(), index));
        if (!owner) return std::nullopt;
        return Gguf(std::move(owner));
    }
    /// How many tensors all parts have.
    std::size_t tensor_count() const noexcept { return mkeep_parts_tensor_count(get()); }
    /// The sum of the elements of all tensors.
    std::uint64_t parameter_count() const noexcept { return mkeep_parts_parameter_count(get()); }
    /// The tensor at a place among those of all parts, and the number of its part from 0.
    std::optional<std::pair<std::size_t, mkeep_tensor>> tensor(std::size_t index) const noexcept {
        std::size_t part = 0;
        auto tensor = sized<mkeep_tensor>();
        if (!mkeep_parts_tensor(get(), index, &part, &tensor)) return std::nullopt;
        return std::pair(part, tensor);
    }
};

/// Everything about one model.
class Show : public detail::Handle<mkeep_show, mkeep_show_free> {
public:
    /// The chat template of the GGUF file, or a Go template.
    std::string_view chat_template() const noexcept { return view(mkeep_show_template(get())); }
    /// The system prompt.
    std::string_view system() const noexcept { return view(mkeep_show_system(get())); }
    /// A Modelfile that makes the model again.
    std::string_view modelfile() const noexcept { return view(mkeep_show_modelfile(get())); }
    /// The facts: family, sizes, context length.
    mkeep_details details() const noexcept {
        auto details = sized<mkeep_details>();
        mkeep_show_details(get(), &details);
        return details;
    }
    /// The families of the architecture.
    auto families() const noexcept { return detail::range(owner_, mkeep_show_family); }
    /// What it can do, as in `completion` or `tools`.
    auto capabilities() const noexcept { return detail::range(owner_, mkeep_show_capability); }
    /// The texts of the licenses.
    auto licenses() const noexcept { return detail::range(owner_, mkeep_show_license); }
    /// The parameters by key; of one that is a list an item for each element.
    auto parameters() const noexcept { return detail::range(owner_, mkeep_show_parameter); }
    /// The messages that belong to it.
    auto messages() const noexcept { return detail::range(owner_, mkeep_show_message); }
    /// The key-value pair of the metadata at a place, in the order of keys.
    std::optional<std::pair<std::string_view, mkeep_value>> info(std::size_t index) const noexcept {
        return detail::pair(get(), index, mkeep_show_info);
    }
    /// That of the metadata of the first projector.
    std::optional<std::pair<std::string_view, mkeep_value>>
    projector_info(std::size_t index) const noexcept {
        return detail::pair(get(), index, mkeep_show_projector_info);
    }
    /// The value of a key of the metadata.
    std::optional<mkeep_value> find_info(std::string_view key) const {
        mkeep_value value;
        const auto text = detail::terminated(key);
        if (!mkeep_show_find_info(get(), text.c_str(), &value)) return std::nullopt;
        return value;
    }
    /// The number of a key of the metadata as a T, where it has one.
    template <typename T>
    std::optional<T> number(std::string_view key) const {
        const auto value = find_info(key);
        return value ? modelkeep::number<T>(*value) : std::nullopt;
    }
    /// The tensors without their data; of safetensors models where `verbose` was asked for.
    auto tensors() const noexcept { return detail::range(owner_, mkeep_show_tensor); }
    /// The body of POST /api/show.
    std::string json() const { return detail::json(get(), mkeep_show_json); }

private:
    template <typename Call>
    explicit Show(Call call) : Handle(call) {}
    friend class Model;
    friend class Store;
};

/// The config of a model: what its manifest says of it as a whole.
class Config : public detail::Handle<mkeep_config, mkeep_config_free> {
public:
    /// What it says.
    mkeep_config_facts facts() const noexcept {
        auto facts = sized<mkeep_config_facts>();
        mkeep_config_get(get(), &facts);
        return facts;
    }
    /// The families of the architecture.
    auto families() const noexcept { return detail::range(owner_, mkeep_config_family); }
    /// What the publisher states that it can do.
    auto capabilities() const noexcept { return detail::range(owner_, mkeep_config_capability); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_config_json); }

private:
    template <typename Call>
    explicit Config(Call call) : Handle(call) {}
    friend class Model;
};

/// One model: a snapshot of its manifest.
class Model : public detail::Handle<mkeep_model, mkeep_model_free> {
public:
    /// The name under which it is stored, as in `llama3.2:latest`.
    std::string_view name() const noexcept { return view(mkeep_model_name(get())); }
    /// The digest of the manifest: 64 hexadecimal digits.
    std::string_view digest() const noexcept { return view(mkeep_model_digest(get())); }
    /// The bytes of all blobs, as the manifest states them.
    std::int64_t size() const noexcept { return mkeep_model_size(get()); }
    /// Nanoseconds since 1970.
    std::int64_t modified() const noexcept { return mkeep_model_modified(get()); }
    /// What it is made of, the config last.
    auto layers() const noexcept { return detail::range(owner_, mkeep_model_layer); }
    /// How many layers there are, the config among them.
    std::size_t layer_count() const noexcept { return mkeep_model_layer_count(get()); }
    /// The paths of the blobs of a kind, as in `projector`.
    std::vector<std::string> paths(std::string_view kind) const {
        std::vector<std::string> paths;
        for (const auto &layer : layers())
            if (view(layer.kind) == kind) paths.emplace_back(view(layer.path));
        return paths;
    }
    /// The path of the GGUF file with the weights.
    std::string path() const {
        return detail::string([&](mkeep_string **path, mkeep_error **error) {
            return mkeep_model_path(get(), path, error);
        });
    }
    /// The GGUF file with the weights.
    Gguf gguf() const {
        return Gguf(nullptr, [&](mkeep_gguf **gguf, mkeep_error **error) {
            return mkeep_model_gguf(get(), gguf, error);
        });
    }
    /// The config: one small file, read once.
    Config config() const {
        return Config([&](mkeep_config **config, mkeep_error **error) {
            return mkeep_model_config(get(), config, error);
        });
    }
    /// Everything about it.
    Show show(mkeep_show_options options = {}) const {
        options.size = sizeof options;
        return Show([&](mkeep_show **show, mkeep_error **error) {
            return mkeep_model_show(get(), &options, show, error);
        });
    }

private:
    template <typename Call>
    explicit Model(Call call) : Handle(call) {}
    friend class Store;
};

/// All models of a store at one moment, newest first.
class List : public detail::Handle<mkeep_list, mkeep_list_free> {
public:
    /// How many models there are.
    std::size_t size() const noexcept { return mkeep_list_count(get()); }
    /// The models, newest first.
    auto models() const noexcept { return detail::range(owner_, mkeep_list_get); }
    /// The families of the model at a place.
    auto families(std::size_t index) const noexcept {
        return detail::range(owner_, index, mkeep_list_family);
    }
    /// What the model at a place can do.
    auto capabilities(std::size_t index) const noexcept {
        return detail::range(owner_, index, mkeep_list_capability);
    }
    /// The blobs that the model at a place lacks, where the options asked for them.
    auto incomplete(std::size_t index) const noexcept {
        return detail::range(owner_, index, mkeep_list_incomplete);
    }
    /// What was left out, and why.
    auto problems() const noexcept { return detail::range(owner_, mkeep_list_problem); }

private:
    template <typename Call>
    explicit List(Call call) : Handle(call) {}
    friend class Store;
};

/// What a verification found.
class Report : public detail::Handle<mkeep_report, mkeep_report_free> {
public:
    /// Whether nothing is wrong.
    bool ok() const noexcept { return mkeep_report_is_ok(get()); }
    /// How many blobs were verified.
    std::size_t size() const noexcept { return mkeep_report_count(get()); }
    /// How many bytes were hashed.
    std::uint64_t hashed_bytes() const noexcept { return mkeep_report_hashed_bytes(get()); }
    /// How many bytes the verification cache had as good, so that they were not hashed.
    std::uint64_t cached_bytes() const noexcept { return mkeep_report_cached_bytes(get()); }
    /// How many blobs were not hashed, because the verification cache had them as good.
    std::size_t cached_blobs() const noexcept { return mkeep_report_cached_blobs(get()); }
    /// Why the verification cache could not be written; empty where it was, or was not to be.
    std::string_view cache_error() const noexcept { return view(mkeep_report_cache_error(get())); }
    /// The blobs, in the order of digests.
    auto blobs() const noexcept { return detail::range(owner_, mkeep_report_get); }
    /// The models that use the blob at a place.
    auto models(std::size_t index) const noexcept {
        return detail::range(owner_, index, mkeep_report_model);
    }
    /// Why the strict reader refuses the GGUF file at a place of the blobs.
    std::optional<mkeep_parse_error> parse_error(std::size_t index) const noexcept {
        auto error = sized<mkeep_parse_error>();
        if (!mkeep_report_parse_error(get(), index, &error)) return std::nullopt;
        return error;
    }
    /// Why the GGUF file at a place of the blobs is of a form that is not supported.
    std::optional<mkeep_parse_error> unsupported(std::size_t index) const noexcept {
        auto reason = sized<mkeep_parse_error>();
        if (!mkeep_report_unsupported(get(), index, &reason)) return std::nullopt;
        return reason;
    }
    /// The warnings about the GGUF file at a place of the blobs.
    auto warnings(std::size_t index) const noexcept {
        return detail::range(owner_, index, mkeep_report_warning);
    }
    /// The models that lack something, in the order of names.
    auto broken_models() const noexcept { return detail::range(owner_, mkeep_report_broken_model); }
    /// The manifests that could not be read.
    auto problems() const noexcept { return detail::range(owner_, mkeep_report_problem); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_report_json); }

private:
    template <typename Call>
    explicit Report(Call call) : Handle(call) {}
    friend class Store;
};

/// What a repair moved.
class Repaired : public detail::Handle<mkeep_repaired, mkeep_repaired_free> {
public:
    /// The damaged blobs, and where they are now.
    auto quarantined() const noexcept { return detail::range(owner_, mkeep_repaired_quarantined); }
    /// The blobs that were there under another name, and where they are now.
    auto renamed() const noexcept { return detail::range(owner_, mkeep_repaired_renamed); }
    /// The digests of blobs that changed since they were verified, and were left alone.
    auto changed() const noexcept { return detail::range(owner_, mkeep_repaired_changed); }
    /// The digests of blobs in use that were put back from the trash of an interrupted removal.
    auto restored() const noexcept { return detail::range(owner_, mkeep_repaired_restored); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_repaired_json); }

private:
    template <typename Call>
    explicit Repaired(Call call) : Handle(call) {}
    friend class Store;
};

/// What a copy did.
class Copied : public detail::Handle<mkeep_copied, mkeep_copied_free> {
public:
    /// The stored name of the model that was copied.
    std::string_view from() const noexcept { return view(mkeep_copied_from(get())); }
    /// The stored name of the copy.
    std::string_view to() const noexcept { return view(mkeep_copied_to(get())); }
    /// Whether a model of that name was replaced.
    bool is_replacement() const noexcept { return mkeep_copied_is_replacement(get()); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_copied_json); }

private:
    template <typename Call>
    explicit Copied(Call call) : Handle(call) {}
    friend class Store;
};

/// What a delete did, or would do.
class Deleted : public detail::Handle<mkeep_deleted, mkeep_deleted_free> {
public:
    /// Whether nothing was changed.
    bool dry_run() const noexcept { return mkeep_deleted_is_dry_run(get()); }
    /// The bytes on the disk that became free, or would.
    std::uint64_t bytes() const noexcept { return mkeep_deleted_bytes(get()); }
    /// The names of the models that are gone.
    auto models() const noexcept { return detail::range(owner_, mkeep_deleted_model); }
    /// The names that were not deleted, and why.
    auto failures() const noexcept { return detail::range(owner_, mkeep_deleted_failure); }
    /// The digests of the blobs that went with them.
    auto blobs() const noexcept { return detail::range(owner_, mkeep_deleted_blob); }
    /// The digests of blobs that were put back, because somebody began to use them.
    auto restored() const noexcept { return detail::range(owner_, mkeep_deleted_restored); }
    /// The blobs that stay because other models use them.
    auto shared() const noexcept { return detail::range(owner_, mkeep_deleted_shared); }
    /// The models that use the shared blob at a place.
    auto shared_models(std::size_t index) const noexcept {
        return detail::range(owner_, index, mkeep_deleted_shared_model);
    }
    /// The names that were aliases: only the link went.
    auto aliases() const noexcept { return detail::range(owner_, mkeep_deleted_alias); }
    /// Why blobs were kept.
    auto kept() const noexcept { return detail::range(owner_, mkeep_deleted_kept); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_deleted_json); }

private:
    template <typename Call>
    explicit Deleted(Call call) : Handle(call) {}
    friend class Store;
};

namespace detail {

/// What can be read of a garbage collection, whoever owns it.
class CollectedView {
public:
    explicit CollectedView(std::shared_ptr<const mkeep_collected> collected) noexcept
        : collected_(std::move(collected)) {}
    /// Whether nothing was changed.
    bool dry_run() const noexcept { return mkeep_collected_is_dry_run(collected_.get()); }
    /// The bytes on the disk that became free, or would.
    std::uint64_t bytes() const noexcept { return mkeep_collected_bytes(collected_.get()); }
    /// How many files are within the grace period.
    std::size_t young() const noexcept { return mkeep_collected_young(collected_.get()); }
    auto blobs() const noexcept { return range(collected_, mkeep_collected_blob); }
    auto partials() const noexcept { return range(collected_, mkeep_collected_partial); }
    auto leftovers() const noexcept { return range(collected_, mkeep_collected_leftover); }
    auto restored() const noexcept { return range(collected_, mkeep_collected_restored); }
    /// Why blobs were kept, in words.
    auto kept() const noexcept { return range(collected_, mkeep_collected_kept); }
    std::string json() const { return detail::json(collected_.get(), mkeep_collected_json); }

private:
    std::shared_ptr<const mkeep_collected> collected_;
};

} // namespace detail

/// What a garbage collection removed, or would remove.
class Collected : public detail::Handle<mkeep_collected, mkeep_collected_free>,
                  public detail::CollectedView {
private:
    template <typename Call>
    explicit Collected(Call call) : Handle(call), CollectedView(owner_) {}
    friend class Store;
};

/// What maintenance did.
class Maintained : public detail::Handle<mkeep_maintained, mkeep_maintained_free> {
public:
    /// The blobs that had an old name, under their new one.
    auto renamed() const noexcept { return detail::range(owner_, mkeep_maintained_renamed); }
    /// What was collected.
    detail::CollectedView collected() const noexcept {
        const auto *collected = mkeep_maintained_collected(get());
        return detail::CollectedView(std::shared_ptr<const mkeep_collected>(owner_, collected));
    }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_maintained_json); }

private:
    template <typename Call>
    explicit Maintained(Call call) : Handle(call) {}
    friend class Store;
};

/// What an export wrote.
class Exported : public detail::Handle<mkeep_exported, mkeep_exported_free> {
public:
    /// The names of the models.
    auto models() const noexcept { return detail::range(owner_, mkeep_exported_model); }
    /// How many blobs the models have together.
    std::size_t blobs() const noexcept { return mkeep_exported_blobs(get()); }
    /// The bytes of these blobs.
    std::uint64_t bytes() const noexcept { return mkeep_exported_bytes(get()); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_exported_json); }

private:
    template <typename Call>
    explicit Exported(Call call) : Handle(call) {}
    friend class Store;
};

/// What the import of an archive made.
class ImportedArchive
    : public detail::Handle<mkeep_imported_archive, mkeep_imported_archive_free> {
public:
    /// The models that came out of it.
    auto models() const noexcept { return detail::range(owner_, mkeep_imported_archive_model); }
    /// How many blobs were written.
    std::size_t new_blobs() const noexcept { return mkeep_imported_archive_new_blobs(get()); }
    /// The bytes of the blobs that were written.
    std::uint64_t new_bytes() const noexcept { return mkeep_imported_archive_new_bytes(get()); }
    /// How many blobs were there already.
    std::size_t shared_blobs() const noexcept {
        return mkeep_imported_archive_shared_blobs(get());
    }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_imported_archive_json); }

private:
    template <typename Call>
    explicit ImportedArchive(Call call) : Handle(call) {}
    friend class Store;
};

/// What a pull did.
class Pulled : public detail::Handle<mkeep_pulled, mkeep_pulled_free> {
public:
    /// What it did.
    mkeep_pulled_facts facts() const noexcept {
        auto facts = sized<mkeep_pulled_facts>();
        mkeep_pulled_get(get(), &facts);
        return facts;
    }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_pulled_json); }

private:
    template <typename Call>
    explicit Pulled(Call call) : Handle(call) {}
    friend class Store;
};

/// What a push did.
class Pushed : public detail::Handle<mkeep_pushed, mkeep_pushed_free> {
public:
    /// What it did.
    mkeep_pushed_facts facts() const noexcept {
        auto facts = sized<mkeep_pushed_facts>();
        mkeep_pushed_get(get(), &facts);
        return facts;
    }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_pushed_json); }

private:
    template <typename Call>
    explicit Pushed(Call call) : Handle(call) {}
    friend class Store;
};

/// What an import made.
class Imported : public detail::Handle<mkeep_imported, mkeep_imported_free> {
public:
    /// The name, in its stored spelling.
    std::string_view name() const noexcept { return view(mkeep_imported_name(get())); }
    /// The digest of the weights.
    std::string_view digest() const noexcept { return view(mkeep_imported_digest(get())); }
    /// The bytes of the weights.
    std::uint64_t bytes() const noexcept { return mkeep_imported_bytes(get()); }
    /// Whether a model of that name was replaced.
    bool is_replacement() const noexcept { return mkeep_imported_is_replacement(get()); }
    /// The parameters of the Modelfile that say nothing any more, and were left out.
    auto ignored() const noexcept { return detail::range(owner_, mkeep_imported_ignored); }
    /// What is unusual in the files, and may be refused elsewhere.
    auto warnings() const noexcept { return detail::range(owner_, mkeep_imported_warning); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_imported_json); }

private:
    template <typename Call>
    explicit Imported(Call call) : Handle(call) {}
    friend class Store;
};

/// The disk usage of a store.
class Usage : public detail::Handle<mkeep_usage, mkeep_usage_free> {
public:
    /// The sums.
    mkeep_totals totals() const noexcept {
        auto sums = sized<mkeep_totals>();
        mkeep_usage_totals(get(), &sums);
        return sums;
    }
    /// The disk usage of each model, in the order of names.
    auto models() const noexcept { return detail::range(owner_, mkeep_usage_model); }
    /// What could not be read: what it uses counts as orphaned.
    auto problems() const noexcept { return detail::range(owner_, mkeep_usage_problem); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_usage_json); }

private:
    template <typename Call>
    explicit Usage(Call call) : Handle(call) {}
    friend class Store;
};

/// What is wrong with a store, and what to do.
class Diagnosis : public detail::Handle<mkeep_diagnosis, mkeep_diagnosis_free> {
public:
    /// Whether nothing is wrong.
    bool ok() const noexcept { return mkeep_diagnosis_is_ok(get()); }
    /// How many blobs the models use.
    std::size_t blobs() const noexcept { return mkeep_diagnosis_blobs(get()); }
    /// How many of them the verification cache has as good.
    std::size_t verified() const noexcept { return mkeep_diagnosis_verified(get()); }
    /// The places where a store may be, the opened one first.
    auto locations() const noexcept { return detail::range(owner_, mkeep_diagnosis_location); }
    /// What is wrong, in the order of paths.
    auto issues() const noexcept { return detail::range(owner_, mkeep_diagnosis_issue); }
    /// What is not wrong, and worth knowing.
    auto notes() const noexcept { return detail::range(owner_, mkeep_diagnosis_note); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_diagnosis_json); }

private:
    template <typename Call>
    explicit Diagnosis(Call call) : Handle(call) {}
    friend class Store;
};

/// The links of a model.
class Linked : public detail::Handle<mkeep_linked, mkeep_linked_free> {
public:
    /// The links that were made, or would be.
    auto links() const noexcept { return detail::range(owner_, mkeep_linked_get); }
    /// The kinds of its other GGUF files, which have no link.
    auto left_out() const noexcept { return detail::range(owner_, mkeep_linked_left_out); }
    /// Why the store does not remember the links; empty where it does.
    std::string_view not_remembered() const noexcept {
        return view(mkeep_linked_not_remembered(get()));
    }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_linked_json); }

private:
    template <typename Call>
    explicit Linked(Call call) : Handle(call) {}
    friend class Store;
};

/// What a check of links found.
class LinkReport : public detail::Handle<mkeep_link_report, mkeep_link_report_free> {
public:
    /// Whether every link shows what its model holds.
    bool ok() const noexcept { return mkeep_link_report_is_ok(get()); }
    /// The links, each with what it shows now.
    auto links() const noexcept { return detail::range(owner_, mkeep_link_report_get); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_link_report_json); }

private:
    template <typename Call>
    explicit LinkReport(Call call) : Handle(call) {}
    friend class Store;
};

/// The models that a digest, an ID or a file belongs to.
class Uses : public detail::Handle<mkeep_uses, mkeep_uses_free> {
public:
    /// The parts of models, by name and then in the order of the manifest.
    auto uses() const noexcept { return detail::range(owner_, mkeep_uses_get); }
    /// Manifests that cannot be read, and may name it.
    auto problems() const noexcept { return detail::range(owner_, mkeep_uses_problem); }
    /// The same as JSON.
    std::string json() const { return detail::json(get(), mkeep_uses_json); }

private:
    template <typename Call>
    explicit Uses(Call call) : Handle(call) {}
    friend class Store;
};

namespace detail {

/// What a callback is given. No exception crosses the library: it is kept, and thrown on.
struct Watch {
    Progress progress;
    std::istream *from = nullptr;
    std::ostream *to = nullptr;
    std::exception_ptr thrown = nullptr;

    explicit Watch(Progress observer = {}) : progress(std::move(observer)) {}

    static bool observe(void *user, std::uint64_t bytes, std::uint64_t total) {
        auto &watch = *static_cast<Watch *>(user);
        try {
            return watch.progress(bytes, total);
        } catch (...) {
            watch.thrown = std::current_exception();
            return false;
        }
    }

    static std::ptrdiff_t read(void *user, std::uint8_t *buffer, std::size_t len) {
        auto &watch = *static_cast<Watch *>(user);
        try {
            watch.from->read(reinterpret_cast<char *>(buffer), static_cast<std::streamsize>(len));
            return watch.from->bad() ? -1 : static_cast<std::ptrdiff_t>(watch.from->gcount());
        } catch (...) {
            watch.thrown = std::current_exception();
            return -1;
        }
    }

    static std::ptrdiff_t write(void *user, const std::uint8_t *bytes, std::size_t len) {
        auto &watch = *static_cast<Watch *>(user);
        try {
            watch.to->write(reinterpret_cast<const char *>(bytes),
                            static_cast<std::streamsize>(len));
            return watch.to->fail() ? -1 : static_cast<std::ptrdiff_t>(len);
        } catch (...) {
            watch.thrown = std::current_exception();
            return -1;
        }
    }

    template <typename Call>
    auto run(Call call) const {
        try {
            return call();
        } catch (const Error &) {
            if (thrown) std::rethrow_exception(thrown);
            throw;
        }
    }

    template <typename Options, typename Call>
    auto call(Options &options, Call make) {
        if (progress) {
            options.progress = &Watch::observe;
            options.user = this;
        }
        return run(make);
    }
};

} // namespace detail

/// What becomes of one key of a GGUF file.
struct GgufChange {
    std::string key;                       ///< The key.
    std::optional<std::string> value;      ///< Its new value as text; of an array a JSON array.
    std::optional<std::string> value_type; ///< The type of the value, as `u32`.
    std::optional<std::string> name;       ///< Its new name.

    /// Sets a key, which keeps its type unless another one is given.
    static GgufChange set(std::string key, std::string value,
                          std::optional<std::string> value_type = std::nullopt) {
        return {std::move(key), std::move(value), std::move(value_type), std::nullopt};
    }
    /// Removes a key.
    static GgufChange remove(std::string key) {
        return {std::move(key), std::nullopt, std::nullopt, std::nullopt};
    }
    /// Gives a key another name.
    static GgufChange rename(std::string key, std::string name) {
        return {std::move(key), std::nullopt, std::nullopt, std::move(name)};
    }
};

/// How to edit a GGUF file.
struct GgufEditOptions {
    bool replace = false; ///< Whether a file that is there is replaced.
    bool padding = true;  ///< Whether a key may be added by which a large file shares its blocks.
};

namespace detail {
/// Changes as the functions of C take them; they borrow from those of C++.
inline std::vector<mkeep_gguf_change> plain(const std::vector<GgufChange> &changes) {
    const auto text = [](const std::optional<std::string> &words) {
        return words ? words->c_str() : nullptr;
    };
    std::vector<mkeep_gguf_change> found;
    for (const auto &change : changes) {
        found.push_back({change.key.c_str(), text(change.value), text(change.value_type),
                         text(change.name)});
    }
    return found;
}
inline mkeep_gguf_edit_options plain(GgufEditOptions options) {
    auto how = sized<mkeep_gguf_edit_options>();
    how.replace = options.replace;
    how.no_padding = !options.padding;
    return how;
}
} // namespace detail

/// Edits the metadata of a GGUF file into a new file; the data of the tensors stay as they are.
inline void edit_gguf(const std::filesystem::path &file, const std::filesystem::path &to,
                      const std::vector<GgufChange> &changes, GgufEditOptions options = {},
                      Progress progress = {}) {
    const auto plain = detail::plain(changes);
    auto how = detail::plain(options);
    detail::Watch(std::move(progress)).call(how, [&] {
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_edit(detail::native(file).c_str(), detail::native(to).c_str(),
                                   plain.data(), plain.size(), &how, error);
        });
    });
}
/// Edits them where they are: nothing but the header is written, where it has the room of the old one.
inline void edit_gguf_in_place(const std::filesystem::path &file,
                               const std::vector<GgufChange> &changes) {
    const auto plain = detail::plain(changes);
    detail::check([&](mkeep_error **error) {
        return mkeep_gguf_edit(detail::native(file).c_str(), nullptr, plain.data(), plain.size(),
                               nullptr, error);
    });
}

inline std::string Gguf::hash_json(GgufHashOptions options, Progress progress) const {
    auto how = sized<mkeep_gguf_hash_options>();
    how.no_sha256 = !options.sha256;
    how.no_xxh64 = !options.xxh64;
    how.no_tensors = !options.tensors;
    return detail::Watch(std::move(progress)).call(how, [&] {
        return detail::string([&](mkeep_string **found, mkeep_error **error) {
            return mkeep_gguf_hash_json(get(), &how, found, error);
        });
    });
}

inline std::pair<bool, std::string> Gguf::diff_json(const Gguf &other, Progress progress) const {
    auto how = sized<mkeep_gguf_diff_options>();
    std::pair<bool, std::string> diff;
    detail::Watch(std::move(progress)).call(how, [&] {
        diff.second = detail::string([&](mkeep_string **json, mkeep_error **error) {
            return mkeep_gguf_diff_json(get(), other.get(), &how, &diff.first, json, error);
        });
    });
    return diff;
}

/// How to split a file; one of the two limits is needed.
struct GgufSplitOptions {
    std::uint64_t max_size = 0;    ///< The most bytes of tensors in a part; 0 for no limit.
    std::uint64_t max_tensors = 0; ///< The most tensors in a part; 0 for no limit.
    bool replace = false;          ///< Whether files of the names of the parts are replaced.
};

/// Splits a file into PREFIX-00001-of-0000N.gguf and so on, and returns how many parts there are.
inline std::size_t split_gguf(const std::filesystem::path &file,
                              const std::filesystem::path &prefix, GgufSplitOptions options,
                              Progress progress = {}) {
    auto how = sized<mkeep_gguf_split_options>();
    how.max_size = options.max_size;
    how.max_tensors = options.max_tensors;
    how.replace = options.replace;
    std::size_t count = 0;
    detail::Watch(std::move(progress)).call(how, [&] {
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_split(detail::native(file).c_str(), detail::native(prefix).c_str(),
                                    &how, &count, error);
        });
    });
    return count;
}

/// Writes the parts of a split model as one file, given the path of any of them.
inline void merge_gguf(const std::filesystem::path &part, const std::filesystem::path &to,
                       bool replace = false, Progress progress = {}) {
    auto how = sized<mkeep_gguf_edit_options>();
    how.replace = replace;
    detail::Watch(std::move(progress)).call(how, [&] {
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_merge(detail::native(part).c_str(), detail::native(to).c_str(), &how,
                                    error);
        });
    });
}

/// How a GGUF file is written.
struct GgufWriterOptions {
    std::uint32_t version = 3;    ///< The version of the format, 2 or 3.
    std::uint32_t alignment = 32; ///< The alignment of the data in bytes, a power of two.
    bool big_endian = false;      ///< Whether it is big-endian; data are written as they are.
};

namespace detail {
/// The mkeep_value_type of a type of C++.
template <typename T>
constexpr std::uint32_t element_of() noexcept {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8, "a number or a truth");
    if constexpr (std::is_same_v<T, bool>) return MKEEP_VALUE_TYPE_BOOL;
    else if constexpr (std::is_floating_point_v<T>)
        return sizeof(T) == 4 ? MKEEP_VALUE_TYPE_F32 : MKEEP_VALUE_TYPE_F64;
    else if constexpr (std::is_signed_v<T>)
        return sizeof(T) == 1   ? MKEEP_VALUE_TYPE_I8
               : sizeof(T) == 2 ? MKEEP_VALUE_TYPE_I16
               : sizeof(T) == 4 ? MKEEP_VALUE_TYPE_I32
                                : MKEEP_VALUE_TYPE_I64;
    else
        return sizeof(T) == 1   ? MKEEP_VALUE_TYPE_U8
               : sizeof(T) == 2 ? MKEEP_VALUE_TYPE_U16
               : sizeof(T) == 4 ? MKEEP_VALUE_TYPE_U32
                                : MKEEP_VALUE_TYPE_U64;
}
} // namespace detail

/// Writes a GGUF file: metadata, and tensors whose data stay where they are.
class GgufWriter : public detail::Handle<mkeep_gguf_writer, mkeep_gguf_writer_free> {
public:
    /// Begins a file with neither.
    explicit GgufWriter(GgufWriterOptions options = {})
        : Handle([&](mkeep_gguf_writer **writer, mkeep_error **error) {
              auto how = sized<mkeep_gguf_writer_options>();
              how.version = options.version;
              // The one that a file need not state.
              how.alignment = options.alignment == 32 ? 0 : options.alignment;
              how.big_endian = options.big_endian;
              return mkeep_gguf_writer_new(&how, writer, error);
          }) {}

    /// Sets the value of a key to that of another file.
    GgufWriter &set(std::string_view key, const mkeep_value &value) {
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_writer_set(get(), detail::terminated(key).c_str(), &value, error);
        });
        return *this;
    }
    /// Sets the value of a key to a number or a truth, of the type of the file that T is.
    template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
    GgufWriter &set(std::string_view key, T number) {
        mkeep_value value{};
        value.type = detail::element_of<T>();
        if constexpr (std::is_floating_point_v<T>) value.f = number;
        else if constexpr (std::is_signed_v<T>) value.i = number;
        else value.u = number;
        return set(key, value);
    }
    /// Sets the value of a key to a string.
    GgufWriter &set(std::string_view key, std::string_view text) {
        mkeep_value value{};
        value.type = MKEEP_VALUE_TYPE_STR;
        value.str = {text.data(), text.size()};
        return set(key, value);
    }
    /// Sets the value of a key to a string.
    GgufWriter &set(std::string_view key, const char *text) {
        return set(key, std::string_view(text));
    }
    /// Sets the value of a key to an array of numbers.
    template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
    GgufWriter &set(std::string_view key, const std::vector<T> &items) {
        static_assert(!std::is_same_v<T, bool>, "a vector of bool has no bytes; take uint8_t");
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_writer_set_array(get(), detail::terminated(key).c_str(),
                                               detail::element_of<T>(), items.data(), items.size(),
                                               error);
        });
        return *this;
    }
    /// Sets the value of a key to an array of strings.
    GgufWriter &set(std::string_view key, const std::vector<std::string> &strings) {
        std::vector<const char *> plain;
        for (const auto &text : strings) plain.push_back(text.c_str());
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_writer_set_strs(get(), detail::terminated(key).c_str(), plain.data(),
                                              plain.size(), error);
        });
        return *this;
    }
    /// Adds a tensor of so many bytes, which have to stay until this is gone. `dims` are in the order of
    /// the file, the length of a row first; `type` is the number of a type.
    GgufWriter &tensor(std::string_view name, const std::vector<std::uint64_t> &dims,
                       std::uint32_t type, const void *data, std::size_t len) {
        detail::check([&](mkeep_error **error) {
            return mkeep_gguf_writer_tensor(get(), detail::terminated(name).c_str(), dims.data(),
                                            dims.size(), type, data, len, error);
        });
        return *this;
    }
    /// Writes the file, which appears whole, or not at all.
    void write(const std::filesystem::path &file, bool replace = false, Progress progress = {}) {
        auto how = sized<mkeep_gguf_edit_options>();
        how.replace = replace;
        detail::Watch(std::move(progress)).call(how, [&] {
            detail::check([&](mkeep_error **error) {
                return mkeep_gguf_writer_write(get(), detail::native(file).c_str(), &how, error);
            });
        });
    }
};

/// How to verify.
struct VerifyOptions {
    bool gguf = false;      ///< Whether GGUF files are read strictly, too.
    bool use_cache = false; ///< Whether to hash only what changed since a run that used the cache.
};

/// How a registry is reached, and as whom.
struct RegistryOptions {
    bool plain_http = false;                  ///< Whether plain HTTP is spoken, which others can read.
    std::uint32_t connections = 0;            ///< How many transfers run at a time; 0 is 4.
    std::filesystem::path ca_file;            ///< The certificates that its own is checked against.
    std::filesystem::path client_certificate; ///< The certificate that it asks for.
    std::filesystem::path client_key;         ///< The key of that.
    std::string username;                     ///< The user, in place of what is stored.
    std::optional<std::string> password;      ///< The user's password.
    std::optional<std::string> token;         ///< A token, in place of user and password.
};

namespace detail {
/// The same as C takes it.
class Reached {
public:
    explicit Reached(const RegistryOptions &options) {
        const auto path = [this](const std::filesystem::path &file) {
            return file.empty() ? nullptr : keep(native(file));
        };
        const auto text = [this](const std::optional<std::string> &words) {
            return words ? keep(terminated(*words)) : nullptr;
        };
        plain_.plain_http = options.plain_http;
        plain_.connections = options.connections;
        plain_.ca_file = path(options.ca_file);
        plain_.client_certificate = path(options.client_certificate);
        plain_.client_key = path(options.client_key);
        plain_.username = options.username.empty() ? nullptr : keep(terminated(options.username));
        plain_.password = text(options.password);
        plain_.token = text(options.token);
    }
    Reached(const Reached &) = delete;
    Reached &operator=(const Reached &) = delete;
    const mkeep_registry_options *get() const noexcept { return &plain_; }

private:
    const char *keep(std::string text) {
        strings_.push_front(std::move(text));
        return strings_.front().c_str();
    }

    std::forward_list<std::string> strings_;
    mkeep_registry_options plain_ = sized<mkeep_registry_options>();
};
} // namespace detail

/// How a model is pulled.
struct PullOptions {
    bool replace = true;      ///< Whether a model of the name is replaced.
    RegistryOptions registry; ///< How the registry is reached.
};

/// Whether the library was built with the client of registries, without which Store::pull,
/// Store::push and ls_remote throw MKEEP_STATUS_UNSUPPORTED.
inline bool has_registry() noexcept { return mkeep_has_registry(); }

/// Lists the tags of `REGISTRY/REPOSITORY`, or the repositories of `REGISTRY`.
inline std::vector<std::string> ls_remote(std::string_view what,
                                          const RegistryOptions &registry = {},
                                          Progress progress = {}) {
    const detail::Reached reached(registry);
    auto plain = sized<mkeep_ls_remote_options>();
    plain.registry = reached.get();
    return detail::Watch(std::move(progress)).call(plain, [&] {
        const auto call = [&](mkeep_remote_list **list, mkeep_error **error) {
            return mkeep_ls_remote(detail::terminated(what).c_str(), &plain, list, error);
        };
        const auto list = detail::make<mkeep_remote_list, mkeep_remote_list_free>(call);
        std::vector<std::string> names;
        mkeep_str name;
        for (std::size_t i = 0; mkeep_remote_list_get(list.get(), i, &name); ++i)
            names.emplace_back(view(name));
        return names;
    });
}

/// A models directory, opened.
class Store : public detail::Handle<mkeep_store, mkeep_store_free> {
public:
    /// Opens OLLAMA_MODELS, or else ~/.ollama/models.
    Store()
        : Handle([](mkeep_store **store, mkeep_error **error) {
              return mkeep_store_open(nullptr, store, error);
          }) {}
    /// Opens OLLAMA_MODELS, or else ~/.ollama/models, by these options; a path in them is opened
    /// instead.
    explicit Store(mkeep_store_options options)
        : Handle([&](mkeep_store **store, mkeep_error **error) {
              options.size = sizeof options;
              return mkeep_store_open(&options, store, error);
          }) {}
    /// Opens a directory.
    explicit Store(const std::filesystem::path &path, mkeep_store_options options = {})
        : Handle([&](mkeep_store **store, mkeep_error **error) {
              const auto text = detail::native(path);
              options.size = sizeof options;
              options.path = text.c_str();
              return mkeep_store_open(&options, store, error);
          }) {}

    /// Opens several directories as one view: of models of one name that of the first is meant, and
    /// what is new goes to the first that may be written to.
    static Store of_several(const std::vector<std::filesystem::path> &paths,
                            mkeep_store_options options = {}) {
        const detail::Names given(detail::natives(paths));
        if (given.size() > 0) {
            options.path = *given.data();
            options.further = given.data() + 1;
            options.further_count = given.size() - 1;
        }
        return Store(options);
    }

    /// What is wrong with the default store, which need not open.
    static Diagnosis diagnose(mkeep_store_options options = {}) {
        options.size = sizeof options;
        return Diagnosis([&](mkeep_diagnosis **diagnosis, mkeep_error **error) {
            return mkeep_store_diagnose(&options, diagnosis, error);
        });
    }
    /// What is wrong with a store, which need not open.
    static Diagnosis diagnose(const std::filesystem::path &path, mkeep_store_options options = {}) {
        const auto text = detail::native(path);
        options.path = text.c_str();
        return diagnose(options);
    }
    /// Whether a path is that of an archive or a directory that import_archive takes.
    static bool is_archive(const std::filesystem::path &path) {
        return mkeep_store_is_archive(detail::native(path).c_str());
    }

    /// The directory, as it was given.
    std::string_view root() const noexcept { return view(mkeep_store_root(get())); }

    /// All models, newest first, and what had to be left out.
    List list(mkeep_list_options options = {}) const {
        options.size = sizeof options;
        return List([&](mkeep_list **list, mkeep_error **error) {
            return mkeep_store_list(get(), &options, list, error);
        });
    }
    /// The body of GET /api/tags.
    std::string list_json() const { return detail::json(get(), mkeep_store_list_json); }
    /// Everything about a model.
    Show show(std::string_view name, mkeep_show_options options = {}) const {
        options.size = sizeof options;
        return Show([&](mkeep_show **show, mkeep_error **error) {
            return mkeep_store_show(get(), detail::terminated(name).c_str(), &options, show, error);
        });
    }
    /// The body of POST /api/show.
    std::string show_json(std::string_view name, mkeep_show_options options = {}) const {
        options.size = sizeof options;
        return detail::string([&](mkeep_string **json, mkeep_error **error) {
            return mkeep_store_show_json(get(), detail::terminated(name).c_str(), &options, json,
                                         error);
        });
    }
    /// A snapshot of a model. Opens one file.
    Model model(std::string_view name) const {
        return Model([&](mkeep_model **model, mkeep_error **error) {
            return mkeep_store_model(get(), detail::terminated(name).c_str(), model, error);
        });
    }
    /// The path of a model's GGUF file.
    std::string path(std::string_view name) const {
        return detail::string([&](mkeep_string **path, mkeep_error **error) {
            return mkeep_store_path(get(), detail::terminated(name).c_str(), path, error);
        });
    }
    /// The GGUF file of a model.
    Gguf gguf(std::string_view name) const {
        return Gguf(nullptr, [&](mkeep_gguf **gguf, mkeep_error **error) {
            return mkeep_store_gguf(get(), detail::terminated(name).c_str(), gguf, error);
        });
    }

    /// The stored name of a model, given by its name or by its ID.
    std::string identify(std::string_view name) const {
        return detail::string([&](mkeep_string **stored, mkeep_error **error) {
            return mkeep_store_identify(get(), detail::terminated(name).c_str(), stored, error);
        });
    }
    /// The directories of all stores of a view, in the order in which they are looked into.
    auto roots() const noexcept { return detail::range(owner_, mkeep_store_roots); }
    /// Gives the GGUF files of a model readable names for other programs, in a directory or at the
    /// path of one file. Never copies.
    Linked link(const std::string &name, const std::filesystem::path &to,
                mkeep_link_options options = {}) const {
        options.size = sizeof options;
        return Linked([&](mkeep_linked **linked, mkeep_error **error) {
            return mkeep_store_link(get(), detail::terminated(name).c_str(),
                                    detail::native(to).c_str(), &options, linked, error);
        });
    }

    /// Says which links still show what their models hold now: without paths all that the store
    /// remembers.
    LinkReport check_links(const std::vector<std::filesystem::path> &paths = {}) const {
        const detail::Names given(detail::natives(paths));
        return LinkReport([&](mkeep_link_report **report, mkeep_error **error) {
            return mkeep_store_check_links(get(), given.data(), given.size(), report, error);
        });
    }

    /// Forgets links at these paths and below these directories; the files stay.
    void forget_links(const std::vector<std::filesystem::path> &paths) const {
        const detail::Names given(detail::natives(paths));
        detail::check([&](mkeep_error **error) {
            return mkeep_store_forget_links(get(), given.data(), given.size(), error);
        });
    }

    /// The models that a digest, an ID or a file belongs to.
    Uses which(const std::filesystem::path &what) const {
        return Uses([&](mkeep_uses **uses, mkeep_error **error) {
            return mkeep_store_which(get(), detail::native(what).c_str(), uses, error);
        });
    }

    /// Where the blob of a digest is, or would be.
    std::string blob_path(std::string_view digest) const {
        return detail::string([&](mkeep_string **path, mkeep_error **error) {
            return mkeep_store_blob_path(get(), detail::terminated(digest).c_str(), path, error);
        });
    }
    /// Whether the blob of a digest is there.
    bool has_blob(std::string_view digest) const {
        bool found = false;
        detail::check([&](mkeep_error **error) {
            return mkeep_store_has_blob(get(), detail::terminated(digest).c_str(), &found, error);
        });
        return found;
    }
    /// Adds a blob from a stream; returns the digest of its bytes. `expected` may be empty.
    std::string add_blob(std::istream &stream, std::string_view expected = {}) const {
        const auto text = detail::terminated(expected);
        const char *digest = text.empty() ? nullptr : text.c_str();
        detail::Watch watch;
        watch.from = &stream;
        const auto read = &detail::Watch::read;
        return watch.run([&] {
            return detail::string([&](mkeep_string **found, mkeep_error **error) {
                return mkeep_store_add_blob(get(), read, &watch, digest, found, error);
            });
        });
    }

    /// Copies a model: one more name for the same blobs.
    Copied copy(std::string_view source, std::string_view destination,
                mkeep_copy_options options = {}) const {
        const auto from = detail::terminated(source), to = detail::terminated(destination);
        options.size = sizeof options;
        return Copied([&](mkeep_copied **copied, mkeep_error **error) {
            return mkeep_store_copy_with(get(), from.c_str(), to.c_str(), &options, copied, error);
        });
    }
    /// Gives a model another name.
    void rename(std::string_view source, std::string_view destination) const {
        const auto from = detail::terminated(source), to = detail::terminated(destination);
        detail::check([&](mkeep_error **error) {
            return mkeep_store_rename(get(), from.c_str(), to.c_str(), error);
        });
    }
    /// Makes a model of another one with edited metadata; all else is that of the other one.
    Imported edit(std::string_view model, std::string_view to,
                  const std::vector<GgufChange> &changes, GgufEditOptions options = {},
                  Progress progress = {}) const {
        const auto plain = detail::plain(changes);
        auto how = detail::plain(options);
        return detail::Watch(std::move(progress)).call(how, [&] {
            return Imported([&](mkeep_imported **imported, mkeep_error **error) {
                return mkeep_store_edit(get(), detail::terminated(model).c_str(),
                                        detail::terminated(to).c_str(), plain.data(), plain.size(),
                                        &how, imported, error);
            });
        });
    }
    /// Deletes a model, and the blobs that only it uses.
    Deleted remove(std::string_view name) const {
        return Deleted([&](mkeep_deleted **deleted, mkeep_error **error) {
            return mkeep_store_delete(get(), detail::terminated(name).c_str(), deleted, error);
        });
    }
    /// Deletes several models; those that could not be deleted are failures of the result.
    Deleted remove(const std::vector<std::string> &names, mkeep_delete_options options = {}) const {
        const detail::Names texts(names);
        options.size = sizeof options;
        return Deleted([&](mkeep_deleted **deleted, mkeep_error **error) {
            return mkeep_store_delete_with(get(), texts.data(), texts.size(), &options, deleted,
                                           error);
        });
    }
    /// Makes a model of a GGUF file.
    Imported import(const std::filesystem::path &file, std::string_view name,
                    mkeep_import_options options = {}, Progress progress = {}) const {
        return import_by(mkeep_store_import, file, name, options, std::move(progress));
    }
    /// Makes a model as a Modelfile says.
    Imported import_modelfile(const std::filesystem::path &file, std::string_view name,
                              mkeep_import_options options = {}, Progress progress = {}) const {
        return import_by(mkeep_store_import_modelfile, file, name, options, std::move(progress));
    }
    /// Makes a model of a file: as a Modelfile says, where it is one, and otherwise of a GGUF file.
    Imported import_file(const std::filesystem::path &file, std::string_view name,
                         mkeep_import_options options = {}, Progress progress = {}) const {
        return import_by(mkeep_store_import_file, file, name, options, std::move(progress));
    }
    /// Verifies the store, or some models.
    Report verify(const std::vector<std::string> &names = {}, VerifyOptions options = {},
                  Progress progress = {}) const {
        const detail::Names texts(names);
        auto plain = sized<mkeep_verify_options>();
        plain.gguf = options.gguf;
        plain.use_cache = options.use_cache;
        return detail::Watch(std::move(progress)).call(plain, [&] {
            return Report([&](mkeep_report **report, mkeep_error **error) {
                return mkeep_store_verify(get(), texts.data(), texts.size(), &plain, report,
                                          error);
            });
        });
    }
    /// Which tensors some models share, or all models, as JSON.
    std::string shared_tensors_json(const std::vector<std::string> &names = {},
                                    Progress progress = {}) const {
        const detail::Names texts(names);
        auto how = sized<mkeep_shared_options>();
        return detail::Watch(std::move(progress)).call(how, [&] {
            return detail::string([&](mkeep_string **json, mkeep_error **error) {
                return mkeep_store_shared_tensors_json(get(), texts.data(), texts.size(), &how,
                                                       json, error);
            });
        });
    }
    /// Moves the damaged blobs of a report into quarantine.
    Repaired repair(const Report &report, Progress progress = {}) const {
        auto options = sized<mkeep_repair_options>();
        return detail::Watch(std::move(progress)).call(options, [&] {
            return Repaired([&](mkeep_repaired **repaired, mkeep_error **error) {
                return mkeep_store_repair(get(), report.get(), &options, repaired, error);
            });
        });
    }
    /// What the disk holds, and for whom.
    Usage usage() const {
        return Usage([&](mkeep_usage **usage, mkeep_error **error) {
            return mkeep_store_usage(get(), usage, error);
        });
    }
    /// What is wrong with the store, and what to do.
    Diagnosis doctor() const {
        return Diagnosis([&](mkeep_diagnosis **diagnosis, mkeep_error **error) {
            return mkeep_store_doctor(get(), diagnosis, error);
        });
    }
    /// Removes blobs that no model uses.
    Collected gc(mkeep_gc_options options = {}, Progress progress = {}) const {
        options.size = sizeof options;
        return detail::Watch(std::move(progress)).call(options, [&] {
            return Collected([&](mkeep_collected **collected, mkeep_error **error) {
                return mkeep_store_gc(get(), &options, collected, error);
            });
        });
    }
    /// Gives blobs their present names, and collects as Ollama does when it starts.
    Maintained maintain(mkeep_gc_options options = {}, Progress progress = {}) const {
        options.size = sizeof options;
        return detail::Watch(std::move(progress)).call(options, [&] {
            return Maintained([&](mkeep_maintained **maintained, mkeep_error **error) {
                return mkeep_store_maintain(get(), &options, maintained, error);
            });
        });
    }
    /// Gives blobs their present names, and does nothing else.
    Maintained rename_old_blobs() const {
        return Maintained([&](mkeep_maintained **maintained, mkeep_error **error) {
            return mkeep_store_rename_old_blobs(get(), maintained, error);
        });
    }
    /// Writes models to an archive, whose path ends in `.tar`, or to a directory.
    Exported export_models(const std::vector<std::string> &names, const std::filesystem::path &to,
                           mkeep_export_options options = {}, Progress progress = {}) const {
        const detail::Names texts(names);
        options.size = sizeof options;
        return detail::Watch(std::move(progress)).call(options, [&] {
            return Exported([&](mkeep_exported **exported, mkeep_error **error) {
                return mkeep_store_export(get(), texts.data(), texts.size(),
                                          detail::native(to).c_str(), &options, exported, error);
            });
        });
    }
    /// Writes models as one archive to a stream. Where there is a progress, the stream is written
    /// to on another thread, while this one waits.
    Exported export_to(const std::vector<std::string> &names, std::ostream &to,
                       mkeep_export_options options = {}, Progress progress = {}) const {
        const detail::Names texts(names);
        options.size = sizeof options;
        detail::Watch watch(std::move(progress));
        watch.to = &to;
        return watch.call(options, [&] {
            return Exported([&](mkeep_exported **exported, mkeep_error **error) {
                return mkeep_store_export_to(get(), texts.data(), texts.size(),
                                             &detail::Watch::write, &watch, &options, exported,
                                             error);
            });
        });
    }
    /// Takes in the models of an archive that comes as a stream. Where there is a progress, the
    /// stream is read on another thread, while this one waits.
    ImportedArchive import_stream(std::istream &from, mkeep_import_archive_options options = {},
                                  Progress progress = {}) const {
        options.size = sizeof options;
        detail::Watch watch(std::move(progress));
        watch.from = &from;
        return watch.call(options, [&] {
            return ImportedArchive([&](mkeep_imported_archive **imported, mkeep_error **error) {
                return mkeep_store_import_stream(get(), &detail::Watch::read, &watch, &options,
                                                 imported, error);
            });
        });
    }
    /// Makes a model of a manifest that was downloaded by itself, and of the files of a directory
    /// that have the bytes of its blobs.
    ImportedArchive import_manifest(const std::filesystem::path &manifest,
                                    const std::filesystem::path &from, std::string_view name,
                                    mkeep_import_archive_options options = {},
                                    Progress progress = {}) const {
        const auto text = detail::terminated(name);
        options.size = sizeof options;
        options.name = text.c_str();
        return detail::Watch(std::move(progress)).call(options, [&] {
            return ImportedArchive([&](mkeep_imported_archive **imported, mkeep_error **error) {
                return mkeep_store_import_manifest(get(), detail::native(manifest).c_str(),
                                                   detail::native(from).c_str(), &options,
                                                   imported, error);
            });
        });
    }
    /// Takes in the models of an archive or a directory.
    ImportedArchive import_archive(const std::filesystem::path &from,
                                   mkeep_import_archive_options options = {},
                                   Progress progress = {}) const {
        options.size = sizeof options;
        return detail::Watch(std::move(progress)).call(options, [&] {
            return ImportedArchive([&](mkeep_imported_archive **imported, mkeep_error **error) {
                return mkeep_store_import_archive(get(), detail::native(from).c_str(), &options,
                                                  imported, error);
            });
        });
    }
    /// Fetches a model from a registry, `REGISTRY/REPOSITORY` with `:TAG` or `@DIGEST`, under a name of
    /// its own or, where that is empty, under the registry's.
    Pulled pull(std::string_view reference, std::string_view name = {},
                const PullOptions &options = {}, Progress progress = {}) const {
        const detail::Reached reached(options.registry);
        const auto own = detail::terminated(name);
        auto plain = sized<mkeep_pull_options>();
        plain.no_replace = !options.replace;
        plain.registry = reached.get();
        return detail::Watch(std::move(progress)).call(plain, [&] {
            return Pulled([&](mkeep_pulled **pulled, mkeep_error **error) {
                return mkeep_store_pull(get(), detail::terminated(reference).c_str(),
                                        own.empty() ? nullptr : own.c_str(), &plain, pulled, error);
            });
        });
    }
    /// Sends a model to a registry: to `REGISTRY/REPOSITORY:TAG` or, where that is empty, to where its
    /// name says.
    Pushed push(std::string_view name, std::string_view to = {},
                const RegistryOptions &registry = {}, Progress progress = {}) const {
        const detail::Reached reached(registry);
        const auto target = detail::terminated(to);
        auto plain = sized<mkeep_push_options>();
        plain.registry = reached.get();
        return detail::Watch(std::move(progress)).call(plain, [&] {
            return Pushed([&](mkeep_pushed **pushed, mkeep_error **error) {
                return mkeep_store_push(get(), detail::terminated(name).c_str(),
                                        target.empty() ? nullptr : target.c_str(), &plain, pushed,
                                        error);
            });
        });
    }
    /// Handles a request to the published API: the HTTP status and the body of the response.
    std::pair<int, std::string> handle_request(mkeep_endpoint endpoint,
                                               std::string_view body = {}) const {
        std::uint16_t status = 0;
        auto response = detail::string([&](mkeep_string **out, mkeep_error **error) {
            const auto *bytes = reinterpret_cast<const std::uint8_t *>(body.data());
            return mkeep_store_handle_request(get(), static_cast<std::uint32_t>(endpoint), bytes,
                                              body.size(), &status, out, error);
        });
        return {status, std::move(response)};
    }

private:
    template <typename Way>
    Imported import_by(Way way, const std::filesystem::path &file, std::string_view name,
                       mkeep_import_options options, Progress progress) const {
        options.size = sizeof options;
        return detail::Watch(std::move(progress)).call(options, [&] {
            return Imported([&](mkeep_imported **imported, mkeep_error **error) {
                return way(get(), detail::native(file).c_str(), detail::terminated(name).c_str(),
                           &options, imported, error);
            });
        });
    }
};

/// The release of the library, as in `0.1.0`.
inline std::string_view version() noexcept { return mkeep_version(); }

/// Whether the library is one that this header was made for.
inline bool fits() noexcept { return mkeep_abi_version() == MKEEP_ABI_VERSION; }

} // namespace modelkeep

#endif
