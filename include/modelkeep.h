/**
 * @file
 * modelkeep: the model store that Ollama writes to disk, as a library.
 *
 * Generated from bindings/c; do not edit.
 *
 * Calls. Every call that can fail returns an mkeep_status; its results are the last parameters, and
 * are written only when it is MKEEP_STATUS_OK. `error` may be NULL; otherwise a call that fails puts
 * an object there, to be freed by mkeep_error_free. Functions that cannot fail return nothing for
 * NULL: 0, false, an empty string.
 *
 * Strings. Those that go in are UTF-8 and end with a NUL; paths are the bytes that the system has.
 * Those that come out are mkeep_str, which nobody frees: they live as long as the handle that they,
 * or the struct that has them, came from.
 *
 * Handles are opaque, and each is freed by the function _free of its type, which takes NULL as well.
 * A handle that came out of another one outlives it. Functions that only read a handle allocate
 * nothing; those that get one of many take an index from 0, and return false, having written
 * nothing, beyond the last.
 *
 * Structs begin with `size`, which the caller sets to their sizeof before each use, so that fields
 * can be added at their end. Of a result as many bytes are written as the caller has room for, and
 * `size` says how many those were. Options are set to zero first: zero is the default of every
 * field, NULL is all defaults, any number but 0 is true, and what only a later release knows is
 * refused where it is not zero. Without a size never grow: mkeep_str, mkeep_human, mkeep_value,
 * mkeep_array, mkeep_files and mkeep_message.
 *
 * Statuses. Every call that can fail may return MKEEP_STATUS_IO, _PERMISSION_DENIED, _NULL_ARGUMENT,
 * _INVALID_UTF8 and _PANIC; those that change a store also _BUSY, and _READ_ONLY where it is
 * read-only. What else a call may return is said with it. A failed call leaves the store as it was,
 * unless it says otherwise.
 *
 * Threads. Any handle may be used from many threads at once, and every function called while any
 * other runs; only _free must be the last use of its handle. Each function says so. After a fork the
 * child may continue with the handles that it has, unless the parent was inside a call then.
 *
 * Maps. A GGUF file that is mapped has to stay as it is while a reference to it, or what was borrowed
 * from it, is used. Where somebody truncates it, the next access ends the process with SIGBUS; where
 * somebody writes to it, values change. The blobs of a store stay as they are, and a file may be
 * removed or replaced by a rename; for what may not stay, set no_mmap.
 *
 * Linking. Shared: -lmodelkeep. Static: libmodelkeep.a -lpthread -lm -ldl.
 */

#ifndef MODELKEEP_H
#define MODELKEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup strings Strings
 * What is borrowed, what the caller owns, and sizes and counts for people.
 * @{
 */

/**
 * A string that belongs to the caller.
 */
typedef struct mkeep_string mkeep_string;

/**
 * A borrowed string.
 */
typedef struct {
  /**
   * The bytes. A NUL follows them, except after strings of a GGUF file; those may hold one, too.
   */
  const char *ptr;
  /**
   * How many they are, without the NUL.
   */
  size_t len;
} mkeep_str;

/**
 * A short text: a NUL ends it.
 */
typedef struct {
  /**
   * The text.
   */
  char text[24];
} mkeep_human;

/**
 * Returns a number of bytes as the command prints it: `2.02 GB`, `17.00 kB`, `100 B`. There is
 * nothing to free: the text may be an argument of printf as it is returned.
 *
 * Threads: any, at any time.
 */
mkeep_human mkeep_human_size(uint64_t bytes);

/**
 * Returns a count of parameters or tokens as the command prints it: `8.0B`, `109.48M`, `2K`.
 *
 * Threads: any, at any time.
 */
mkeep_human mkeep_human_number(uint64_t count);

/**
 * Borrows the string.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_string_str(const mkeep_string *string);

/**
 * Borrows the string as C has it; NULL for NULL.
 *
 * Threads: any, at any time.
 */
const char *mkeep_string_c(const mkeep_string *string);

/**
 * Frees a string.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_string_free(mkeep_string *string);

/** @} */

/**
 * @defgroup errors Errors
 * How a call ended, why it failed, and what it had to pass over.
 * @{
 */

/**
 * How a call ended. More may come: take an unknown one for a failure.
 */
typedef enum {
  /**
   * It is done.
   */
  MKEEP_STATUS_OK = 0,
  /**
   * A model, blob or layer is absent.
   */
  MKEEP_STATUS_NOT_FOUND = 1,
  /**
   * A malformed name of a model.
   */
  MKEEP_STATUS_INVALID_NAME = 2,
  /**
   * A malformed digest.
   */
  MKEEP_STATUS_INVALID_DIGEST = 3,
  /**
   * Options contradict each other or the store.
   */
  MKEEP_STATUS_INVALID_ARGUMENT = 4,
  /**
   * The name is taken and was not to be replaced.
   */
  MKEEP_STATUS_ALREADY_EXISTS = 5,
  /**
   * What the disk holds is not what its name or its neighbors promise.
   */
  MKEEP_STATUS_CORRUPT = 6,
  /**
   * A hostile or broken GGUF file.
   */
  MKEEP_STATUS_INVALID_GGUF = 7,
  /**
   * A format or a version that is known and not supported.
   */
  MKEEP_STATUS_UNSUPPORTED = 8,
  /**
   * Another process has the lock.
   */
  MKEEP_STATUS_BUSY = 9,
  /**
   * The progress callback asked to stop.
   */
  MKEEP_STATUS_CANCELLED = 10,
  /**
   * The operating system refused; mkeep_error_os has its number.
   */
  MKEEP_STATUS_IO = 11,
  /**
   * A Go template that does not parse.
   */
  MKEEP_STATUS_INVALID_TEMPLATE = 12,
  /**
   * The operating system denies access to a file or a directory.
   */
  MKEEP_STATUS_PERMISSION_DENIED = 13,
  /**
   * A file or a directory is absent: the store itself, a blob, a file of the caller's.
   */
  MKEEP_STATUS_FILE_NOT_FOUND = 14,
  /**
   * A change of a store that was opened read-only, or on a read-only file system.
   */
  MKEEP_STATUS_READ_ONLY = 15,
  /**
   * A registry cannot be reached, or does not answer as one.
   */
  MKEEP_STATUS_NETWORK = 16,
  /**
   * A bug of the library itself, which it survived.
   */
  MKEEP_STATUS_PANIC = 100,
  /**
   * A pointer is NULL that must not be.
   */
  MKEEP_STATUS_NULL_ARGUMENT = 101,
  /**
   * A string is not UTF-8.
   */
  MKEEP_STATUS_INVALID_UTF8 = 102,
} mkeep_status;

/**
 * What went wrong.
 */
typedef struct mkeep_error mkeep_error;

/**
 * A file, a directory or a model that a call had to pass over.
 */
typedef struct {
  /**
   * `sizeof(mkeep_problem)`.
   */
  size_t size;
  /**
   * Why: the status that a call for it alone would have.
   */
  mkeep_status status;
  /**
   * The file or directory.
   */
  mkeep_str path;
  /**
   * The model, where the path is a model's; otherwise empty.
   */
  mkeep_str name;
  /**
   * Why, in words.
   */
  mkeep_str message;
} mkeep_problem;

/**
 * What is wrong with a GGUF file, and where.
 */
typedef struct {
  /**
   * `sizeof(mkeep_parse_error)`.
   */
  size_t size;
  /**
   * What it is: a code that never changes, as in `bad_magic`.
   */
  mkeep_str code;
  /**
   * The place in the structure, as in `kv 17 "tokenizer.ggml.tokens" element 4711`.
   */
  mkeep_str path;
  /**
   * What is wrong, in words.
   */
  mkeep_str message;
  /**
   * The byte of the file where the item begins that is wrong.
   */
  uint64_t offset;
} mkeep_parse_error;

/**
 * Returns the status of the call that failed; MKEEP_STATUS_OK for NULL.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_error_status(const mkeep_error *error);

/**
 * Returns what was being done to what, and why it failed: lower case, without a full stop.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_error_message(const mkeep_error *error);

/**
 * Returns the HTTP status for it, as in 404; 200 for NULL.
 *
 * Threads: any, at any time.
 */
uint16_t mkeep_error_http_status(const mkeep_error *error);

/**
 * Returns the operating system's number for it (`errno`); 0 where there is none.
 *
 * Threads: any, at any time.
 */
int32_t mkeep_error_os(const mkeep_error *error);

/**
 * Returns the file or directory that it is about, as the system has it; empty where there is none.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_error_path(const mkeep_error *error);

/**
 * Gets a stored name that may have been meant, the nearest first, at most three; false beyond the
 * last.
 *
 * Threads: any, at any time.
 */
bool mkeep_error_suggestion(const mkeep_error *error, size_t index, mkeep_str *name);

/**
 * Gets where a GGUF file is wrong; false where that is not what went wrong.
 *
 * Threads: any, at any time.
 */
bool mkeep_error_parse_error(const mkeep_error *error, mkeep_parse_error *parse_error);

/**
 * Frees an error.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_error_free(mkeep_error *error);

/** @} */

/**
 * @defgroup library Library
 * Which library is linked.
 * @{
 */

/**
 * The number of the interface that this header describes.
 */
#define MKEEP_ABI_VERSION 0

/**
 * Returns the number of the library's interface. A program whose header has another one must not
 * use it.
 *
 * Threads: any, at any time.
 */
uint32_t mkeep_abi_version(void);

/**
 * Returns the release of the library, as in `0.1.0`.
 *
 * Threads: any, at any time.
 */
const char *mkeep_version(void);

/** @} */

/**
 * @defgroup callbacks Callbacks
 * How far a call is, and streams of the caller's.
 * @{
 */

/**
 * Tells how far a call is: called on the calling thread before the first byte, then at most 20
 * times a second, and after the last byte. `user` is what the caller gave. Returning false
 * cancels: MKEEP_STATUS_CANCELLED, and nothing is left behind. It must return: neither longjmp nor
 * an exception may leave it.
 */
typedef bool (*mkeep_progress)(void *user, uint64_t bytes, uint64_t total_bytes);

/**
 * Fills `buffer` with at most `len` bytes, and returns how many: 0 at the end, less than 0 where
 * they cannot be read. `user` is what the caller gave. It must return: neither longjmp nor an
 * exception may leave it.
 */
typedef ptrdiff_t (*mkeep_read)(void *user, uint8_t *buffer, size_t len);

/**
 * Takes at most `len` bytes, at least one, and returns how many; less than 0 where it takes no more.
 * `user` is what the caller gave. It must return: neither longjmp nor an exception may leave it.
 */
typedef ptrdiff_t (*mkeep_write)(void *user, const uint8_t *bytes, size_t len);

/**
 * Fills `buffer` with at most `len` bytes from the offset `at` on, and returns how many; 0 or less where
 * they cannot be read. `user` is what the caller gave. It must return: neither longjmp nor an
 * exception may leave it.
 */
typedef ptrdiff_t (*mkeep_read_at)(void *user, uint8_t *buffer, size_t len, uint64_t at);

/** @} */

/**
 * @defgroup stores Stores
 * Opening a models directory.
 * @{
 */

/**
 * Which template mkeep_store_show takes where a model has two: a Go template of its own, and the
 * chat template of its GGUF file.
 */
typedef enum {
  /**
   * As OLLAMA_GO_TEMPLATE says, or else the one that can do more.
   */
  MKEEP_TEMPLATE_CHOICE_DEFAULT = 0,
  /**
   * The Go template.
   */
  MKEEP_TEMPLATE_CHOICE_GO = 1,
  /**
   * The chat template of the GGUF file.
   */
  MKEEP_TEMPLATE_CHOICE_GGUF = 2,
} mkeep_template_choice;

/**
 * A models directory, opened.
 */
typedef struct mkeep_store mkeep_store;

/**
 * How to open a store.
 */
typedef struct {
  /**
   * `sizeof(mkeep_store_options)`.
   */
  size_t size;
  /**
   * Whether a missing directory is made.
   */
  uint8_t create;
  /**
   * Whether every change is refused.
   */
  uint8_t read_only;
  /**
   * Whether files are read instead of mapped: for network file systems.
   */
  uint8_t no_mmap;
  /**
   * Whether changes may be lost in a power cut, for speed.
   */
  uint8_t no_sync;
  /**
   * Whether a delete does not wait for a server beside us: only where none writes here.
   */
  uint8_t no_delete_delay;
  /**
   * Whether an import is allowed where the blobs belong to another user, whose server could not
   * use ours again.
   */
  uint8_t foreign_owner;
  /**
   * Whether nothing is remembered of the manifests for the next call.
   */
  uint8_t no_cache;
  /**
   * Threads; 0 is one for each processor.
   */
  uint32_t threads;
  /**
   * The directory; NULL for OLLAMA_MODELS, or else ~/.ollama/models.
   */
  const char *path;
  /**
   * Milliseconds for which a delete waits for a server beside us, in place of the default of 50;
   * 0 is the default.
   */
  uint32_t delete_delay;
  /**
   * An mkeep_template_choice.
   */
  uint32_t template_choice;
  /**
   * How many bytes of memory the store may take to remember its manifests and the GGUF files that
   * were opened, in place of the default of 16 MiB; 0 is the default. A call looks whether anything
   * changed, and reads what did.
   */
  uint64_t cache_size;
  /**
   * The directories of stores that are looked into after the first, as those of `PATH` are: all
   * are one view. Of models of one name the first store's is meant, and what is new goes to the
   * first store that may be written to. NULL for none.
   */
  const char *const *further;
  /**
   * How many those are.
   */
  size_t further_count;
} mkeep_store_options;

/**
 * Opens a store. `options` may be NULL. Opening makes nothing, unless `create` is set.
 *
 * MKEEP_STATUS_FILE_NOT_FOUND where the directory does not exist, with the well-known places that
 * do in its message; MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_open(const mkeep_store_options *options,
                              mkeep_store **store,
                              mkeep_error **error);

/**
 * Gets the directory of a store of a view, in the order in which they are looked into; of one store
 * its own. False beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_store_roots(const mkeep_store *store, size_t index, mkeep_str *root);

/**
 * Returns the directory, as it was given; in a view of several that of the first.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_store_root(const mkeep_store *store);

/**
 * Frees a store. Models, lists, reports and files of it live on.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_store_free(mkeep_store *store);

/**
 * Finds the path of a model's GGUF file.
 *
 * MKEEP_STATUS_NOT_FOUND where the model is missing, MKEEP_STATUS_FILE_NOT_FOUND where its file
 * is, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT, MKEEP_STATUS_UNSUPPORTED where the weights
 * are in several files.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_path(const mkeep_store *store,
                              const char *name,
                              mkeep_string **path,
                              mkeep_error **error);

/** @} */

/**
 * @defgroup lists Lists
 * All models of a store at one moment.
 * @{
 */

/**
 * The form of a manifest. More may come.
 */
typedef enum {
  /**
   * Something else than the others.
   */
  MKEEP_MANIFEST_FORM_UNKNOWN = 0,
  /**
   * A config and layers, as models have them.
   */
  MKEEP_MANIFEST_FORM_MODEL = 1,
  /**
   * A list of other manifests, one for each platform: an index of OCI, a manifest list of
   * Docker.
   */
  MKEEP_MANIFEST_FORM_INDEX = 2,
  /**
   * An artifact of OCI: a type and blobs.
   */
  MKEEP_MANIFEST_FORM_ARTIFACT = 3,
  /**
   * A manifest of Docker's first schema.
   */
  MKEEP_MANIFEST_FORM_SCHEMA1 = 4,
} mkeep_manifest_form;

/**
 * All models of a store at one moment, newest first.
 */
typedef struct mkeep_list mkeep_list;

/**
 * What to inspect for a list.
 */
typedef struct {
  /**
   * `sizeof(mkeep_list_options)`.
   */
  size_t size;
  /**
   * Whether each blob is inspected, so that mkeep_list_incomplete knows what a model lacks.
   * Costs a `stat` for each.
   */
  uint8_t check_blobs;
  /**
   * Zero, until a later release has fields here.
   */
  uint8_t reserved[7];
} mkeep_list_options;

/**
 * A model of a list.
 */
typedef struct {
  /**
   * `sizeof(mkeep_summary)`.
   */
  size_t size;
  /**
   * The form of its manifest, an mkeep_manifest_form: others than those of models are listed,
   * too.
   */
  uint32_t form;
  /**
   * The name, as in `llama3.2:latest`.
   */
  mkeep_str name;
  /**
   * The digest of the manifest: 64 hexadecimal digits.
   */
  mkeep_str digest;
  /**
   * `gguf`, `safetensors`, or empty.
   */
  mkeep_str format;
  /**
   * The architecture's family.
   */
  mkeep_str family;
  /**
   * The size for people, as in `8.0B`.
   */
  mkeep_str parameter_size;
  /**
   * The quantization's name, as in `Q4_K_M`.
   */
  mkeep_str quantization_level;
  /**
   * The name at the host that serves a remote model; empty for a local one.
   */
  mkeep_str remote_model;
  /**
   * The host that serves a remote model; empty for a local one.
   */
  mkeep_str remote_host;
  /**
   * The model whose manifest this is as well, where the name is an alias; otherwise empty.
   */
  mkeep_str alias_of;
  /**
   * The bytes of all blobs, as the manifest states them.
   */
  int64_t n_bytes;
  /**
   * The time of the manifest's last change, in nanoseconds since 1970.
   */
  int64_t modified;
  /**
   * Tokens of context; 0 where unknown.
   */
  int64_t context_length;
  /**
   * Width of an embedding; 0 where unknown.
   */
  int64_t embedding_length;
  /**
   * The model that this one was made from.
   */
  mkeep_str parent_model;
  /**
   * The directory of its store, in a view of several; otherwise empty.
   */
  mkeep_str store;
} mkeep_summary;

/**
 * A blob of a model that is not there as its manifest states it.
 */
typedef struct {
  /**
   * `sizeof(mkeep_incomplete_blob)`.
   */
  size_t size;
  /**
   * Whether there is no file at all.
   */
  bool is_missing;
  /**
   * The blob, as in `sha256:...`.
   */
  mkeep_str digest;
  /**
   * Where it is, or should be.
   */
  mkeep_str path;
  /**
   * The bytes that the manifest states.
   */
  int64_t n_stated_bytes;
  /**
   * The bytes that are there.
   */
  uint64_t n_bytes;
} mkeep_incomplete_blob;

/**
 * Lists all models. What cannot be read is left out, and named among the problems. `options` may
 * be NULL.
 *
 * MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_list(const mkeep_store *store,
                              const mkeep_list_options *options,
                              mkeep_list **list,
                              mkeep_error **error);

/**
 * Lists all models as the body of GET /api/tags.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_list_json(const mkeep_store *store,
                                   mkeep_string **json,
                                   mkeep_error **error);

/**
 * Returns how many models there are.
 *
 * Threads: any, at any time.
 */
size_t mkeep_list_count(const mkeep_list *list);

/**
 * Gets a model; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_list_get(const mkeep_list *list, size_t index, mkeep_summary *summary);

/**
 * Gets the family at `nth` of those of the model at `index`; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_list_family(const mkeep_list *list, size_t index, size_t nth, mkeep_str *family);

/**
 * Gets what the model at `index` can do, as in `completion` or `tools`; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_list_capability(const mkeep_list *list, size_t index, size_t nth, mkeep_str *capability);

/**
 * Gets a blob that the model at `index` lacks, where that was asked for; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_list_incomplete(const mkeep_list *list,
                           size_t index,
                           size_t nth,
                           mkeep_incomplete_blob *blob);

/**
 * Gets an entry that was left out, and why; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_list_problem(const mkeep_list *list, size_t index, mkeep_problem *problem);

/**
 * Frees a list.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_list_free(mkeep_list *list);

/** @} */

/**
 * @defgroup values Values
 * The values of metadata, and arrays of them.
 * @{
 */

/**
 * The type of a value, as files have it.
 */
typedef enum {
  /**
   * 8 bits without a sign.
   */
  MKEEP_VALUE_TYPE_U8 = 0,
  /**
   * 8 bits with a sign.
   */
  MKEEP_VALUE_TYPE_I8 = 1,
  /**
   * 16 bits without a sign.
   */
  MKEEP_VALUE_TYPE_U16 = 2,
  /**
   * 16 bits with a sign.
   */
  MKEEP_VALUE_TYPE_I16 = 3,
  /**
   * 32 bits without a sign.
   */
  MKEEP_VALUE_TYPE_U32 = 4,
  /**
   * 32 bits with a sign.
   */
  MKEEP_VALUE_TYPE_I32 = 5,
  /**
   * A single-precision number.
   */
  MKEEP_VALUE_TYPE_F32 = 6,
  /**
   * True or false.
   */
  MKEEP_VALUE_TYPE_BOOL = 7,
  /**
   * A string.
   */
  MKEEP_VALUE_TYPE_STR = 8,
  /**
   * An array.
   */
  MKEEP_VALUE_TYPE_ARRAY = 9,
  /**
   * 64 bits without a sign.
   */
  MKEEP_VALUE_TYPE_U64 = 10,
  /**
   * 64 bits with a sign.
   */
  MKEEP_VALUE_TYPE_I64 = 11,
  /**
   * A double-precision number.
   */
  MKEEP_VALUE_TYPE_F64 = 12,
} mkeep_value_type;

/**
 * An array of metadata.
 */
typedef struct {
  /**
   * The type of its elements: an mkeep_value_type.
   */
  uint32_t element;
  /**
   * Not 0 where its numbers are big-endian.
   */
  uint8_t big_endian;
  /**
   * How many elements.
   */
  uint64_t count;
  /**
   * The elements as they are in the file, not aligned: numbers one after the other, or strings
   * with their lengths, for mkeep_array_next_str.
   */
  const uint8_t *bytes;
  /**
   * How many bytes.
   */
  size_t len;
} mkeep_array;

/**
 * A value of metadata. `type` says which of the others counts; the rest are zero.
 */
typedef struct {
  /**
   * An mkeep_value_type.
   */
  uint32_t type;
  /**
   * The number, for the types without a sign; of a truth 0 or 1.
   */
  uint64_t u;
  /**
   * The number, for the types with a sign.
   */
  int64_t i;
  /**
   * The number, for the floating-point types.
   */
  double f;
  /**
   * The string: bytes that are usually UTF-8, without a NUL after them.
   */
  mkeep_str str;
  /**
   * The array.
   */
  mkeep_array array;
} mkeep_value;

/**
 * Gets an element of an array, whatever its type and the byte order; false beyond the last. Costs
 * nothing for numbers and truths; for strings and arrays it walks over those before: take
 * mkeep_array_next_str for many strings.
 *
 * Threads: any, at any time.
 */
bool mkeep_array_get(const mkeep_array *array, uint64_t index, mkeep_value *value);

/**
 * Gets the next string of an array of strings. `at` is where it begins within the array's bytes: 0
 * for the first; it is moved to the next, and may be kept to come back. False after the last, and
 * for other arrays.
 *
 * Threads: any, at any time.
 */
bool mkeep_array_next_str(const mkeep_array *array, size_t *at, mkeep_str *str);

/** @} */

/**
 * @defgroup gguf GGUF files
 * Metadata and tensors of a file, borrowed from where they are; files that are edited, split, merged and written.
 * @{
 */

/**
 * A GGUF file that is open. Counted: what is borrowed lives until the last reference is freed.
 */
typedef struct mkeep_gguf mkeep_gguf;

/**
 * A GGUF file that is to be written. Any thread may add to it, one at a time.
 */
typedef struct mkeep_gguf_writer mkeep_gguf_writer;

/**
 * How to open a GGUF file.
 */
typedef struct {
  /**
   * `sizeof(mkeep_gguf_options)`.
   */
  size_t size;
  /**
   * Whether reading continues where the format is violated without harm.
   */
  uint8_t lenient;
  /**
   * Whether the header is read into memory instead of mapping the file.
   */
  uint8_t no_mmap;
  /**
   * Whether the data of tensors may be missing, as in the midst of a download. What is missing
   * is a warning, `data_out_of_bounds`, and the `data` of a tensor that is not whole are NULL.
   */
  uint8_t header_only;
  /**
   * Zero, until a later release has fields here.
   */
  uint8_t reserved[5];
} mkeep_gguf_options;

/**
 * Something unusual in a file that can be read.
 */
typedef struct {
  /**
   * `sizeof(mkeep_warning)`.
   */
  size_t size;
  /**
   * What it is: a code that never changes, as in `nested_array`.
   */
  mkeep_str code;
  /**
   * The place in the structure; the first of several.
   */
  mkeep_str path;
  /**
   * What it is, in words.
   */
  mkeep_str message;
} mkeep_warning;

/**
 * What becomes of one key: it is set where `value` is not NULL, renamed where `name` is not NULL, and
 * removed where neither is.
 */
typedef struct {
  /**
   * The key.
   */
  const char *key;
  /**
   * Its new value as text; of an array a JSON array.
   */
  const char *value;
  /**
   * The type of the value, as "u32", or of the elements of an array. NULL leaves the key its type; a
   * new key becomes a string then, unless the text could be something else.
   */
  const char *value_type;
  /**
   * Its new name.
   */
  const char *name;
} mkeep_gguf_change;

/**
 * How to edit a GGUF file.
 */
typedef struct {
  /**
   * `sizeof(mkeep_gguf_edit_options)`.
   */
  size_t size;
  /**
   * Whether a file that is there is replaced; otherwise MKEEP_STATUS_ALREADY_EXISTS.
   */
  uint8_t replace;
  /**
   * Whether to do without the key `modelkeep.padding`, by which a large file shares its blocks.
   */
  uint8_t no_padding;
  /**
   * Zero, until a later release has fields here.
   */
  uint8_t reserved[6];
  /**
   * Tells how far it is, or NULL. An edit in place writes so little that it is not called.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_gguf_edit_options;

/**
 * How to split a GGUF file. One of the two limits is needed; both hold where both are given.
 */
typedef struct {
  /**
   * `sizeof(mkeep_gguf_split_options)`.
   */
  size_t size;
  /**
   * The most bytes of tensors in a part, the header not counted; 0 for no limit. A tensor that is
   * larger has a part of its own.
   */
  uint64_t max_size;
  /**
   * The most tensors in a part; 0 for no limit.
   */
  uint64_t max_tensors;
  /**
   * Whether files of the names of the parts are replaced; otherwise MKEEP_STATUS_ALREADY_EXISTS.
   */
  uint8_t replace;
  /**
   * Zero, until a later release has fields here.
   */
  uint8_t reserved[7];
  /**
   * Tells how far it is, or NULL.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_gguf_split_options;

/**
 * How to write a GGUF file.
 */
typedef struct {
  /**
   * `sizeof(mkeep_gguf_writer_options)`.
   */
  size_t size;
  /**
   * The version of the format, 2 or 3; 0 for 3.
   */
  uint32_t version;
  /**
   * The alignment of the data in bytes, a power of two; 0 for 32.
   */
  uint32_t alignment;
  /**
   * Not 0 for a big-endian file. The data of tensors are written as they are.
   */
  uint64_t big_endian;
} mkeep_gguf_writer_options;

/**
 * Opens a GGUF file: one pass over its header. `options` may be NULL: then it is read strictly,
 * and mapped.
 *
 * MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED, MKEEP_STATUS_FILE_NOT_FOUND,
 * MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_open(const char *file,
                             const mkeep_gguf_options *options,
                             mkeep_gguf **gguf,
                             mkeep_error **error);

/**
 * Reads a GGUF file that is in memory, in one pass over its header. Nothing is copied: the bytes
 * have to stay, unchanged, until the last reference is freed. `options` may be NULL; `no_mmap` means
 * nothing here.
 *
 * As mkeep_gguf_open.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_from_bytes(const uint8_t *bytes,
                                   size_t len,
                                   const mkeep_gguf_options *options,
                                   mkeep_gguf **gguf,
                                   mkeep_error **error);

/**
 * Reads the header of a GGUF file of `size` bytes through a function at an offset, which is called with
 * `user`, and only before this returns: for what lies in a bigger file, an object store, at a URL. The
 * `data` of the tensors are NULL. `options` may be NULL; `no_mmap` means nothing here.
 *
 * As mkeep_gguf_open; MKEEP_STATUS_IO where the function fails.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_from_read_at(uint64_t size,
                                     mkeep_read_at read,
                                     void *user,
                                     const mkeep_gguf_options *options,
                                     mkeep_gguf **gguf,
                                     mkeep_error **error);

/**
 * Opens the GGUF file of a stored model, leniently.
 *
 * As mkeep_store_path and mkeep_gguf_open.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_gguf(const mkeep_store *store,
                              const char *name,
                              mkeep_gguf **gguf,
                              mkeep_error **error);

/**
 * Makes one more reference to the same file, to be freed by mkeep_gguf_free as well; NULL for
 * NULL.
 *
 * Threads: any, at any time.
 */
mkeep_gguf *mkeep_gguf_retain(const mkeep_gguf *gguf);

/**
 * Frees a reference to a file; the last one closes it.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_gguf_free(mkeep_gguf *gguf);

/**
 * Returns the version of the format.
 *
 * Threads: any, at any time.
 */
uint32_t mkeep_gguf_version(const mkeep_gguf *gguf);

/**
 * Returns whether the numbers of the file are big-endian.
 *
 * Threads: any, at any time.
 */
bool mkeep_gguf_is_big_endian(const mkeep_gguf *gguf);

/**
 * Returns the size of the file in bytes.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_gguf_size(const mkeep_gguf *gguf);

/**
 * Returns the alignment of the data of tensors, in bytes.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_gguf_alignment(const mkeep_gguf *gguf);

/**
 * Returns where the data of tensors begin, in bytes; may be beyond the end of a file that has
 * none.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_gguf_data_offset(const mkeep_gguf *gguf);

/**
 * Returns the bytes of the header: what comes before the data of tensors, without what fills up to
 * them.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_gguf_header_size(const mkeep_gguf *gguf);

/**
 * Returns the name of the file's quantization as its metadata state it, as in `Q4_K_M`; empty where
 * they do not.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_gguf_file_type(const mkeep_gguf *gguf);

/**
 * Returns how many warnings there are: things that this reader accepts and others may not.
 *
 * Threads: any, at any time.
 */
size_t mkeep_gguf_warning_count(const mkeep_gguf *gguf);

/**
 * Gets a warning; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_gguf_warning(const mkeep_gguf *gguf, size_t index, mkeep_warning *warning);

/**
 * Returns the sum of the elements of all tensors.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_gguf_parameter_count(const mkeep_gguf *gguf);

/**
 * Returns how many key-value pairs the metadata has.
 *
 * Threads: any, at any time.
 */
size_t mkeep_gguf_count(const mkeep_gguf *gguf);

/**
 * Gets a key-value pair; false beyond the last. Costs nothing.
 *
 * Threads: any, at any time.
 */
bool mkeep_gguf_get(const mkeep_gguf *gguf, size_t index, mkeep_str *key, mkeep_value *value);

/**
 * Finds the value of a key, of duplicates the last; false where there is none.
 *
 * Threads: any, at any time.
 */
bool mkeep_gguf_find(const mkeep_gguf *gguf, const char *key, mkeep_value *value);

/**
 * Makes JSON of the header and the warnings, in which nothing is lost.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_json(const mkeep_gguf *gguf, mkeep_string **json, mkeep_error **error);

/**
 * Edits the metadata of a GGUF file, and writes the result to `to`, whole or not at all; the data of the
 * tensors stay as they are. Where `to` is NULL nothing but the header is written, into the file itself,
 * where it has the room of the old one; nobody else should have the file open then. The changes are made
 * in their order. `options` may be NULL.
 *
 * MKEEP_STATUS_NOT_FOUND for a key that is not there, MKEEP_STATUS_INVALID_ARGUMENT for a value that is
 * not of its type and for a header without room, MKEEP_STATUS_ALREADY_EXISTS,
 * MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_gguf_edit(const char *file,
                             const char *to,
                             const mkeep_gguf_change *changes,
                             size_t count,
                             const mkeep_gguf_edit_options *options,
                             mkeep_error **error);

/**
 * Splits a GGUF file into PREFIX-00001-of-0000N.gguf and so on, as llama-gguf-split does: the first part
 * has all metadata. All parts appear, or none; the file stays. `count` is how many there are, and may be
 * NULL.
 *
 * MKEEP_STATUS_INVALID_ARGUMENT without a limit and for a file that is a part,
 * MKEEP_STATUS_ALREADY_EXISTS, MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_INVALID_GGUF,
 * MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_gguf_split(const char *file,
                              const char *prefix,
                              const mkeep_gguf_split_options *options,
                              size_t *count,
                              mkeep_error **error);

/**
 * Writes the parts of a split model as the one file `to`, given the path of any of them; the others are
 * beside it. The layout is that of llama-gguf-split. The file appears whole, or not at all; the parts
 * stay. `options` may be NULL; `no_padding` means nothing here.
 *
 * MKEEP_STATUS_FILE_NOT_FOUND where a part is missing, MKEEP_STATUS_INVALID_GGUF where parts do not belong
 * together, MKEEP_STATUS_INVALID_ARGUMENT for a file that is whole, MKEEP_STATUS_ALREADY_EXISTS,
 * MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_gguf_merge(const char *part,
                              const char *to,
                              const mkeep_gguf_edit_options *options,
                              mkeep_error **error);

/**
 * Makes a writer with neither metadata nor tensors. `options` may be NULL.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_writer_new(const mkeep_gguf_writer_options *options,
                                   mkeep_gguf_writer **writer,
                                   mkeep_error **error);

/**
 * Frees a writer; what was written stays.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_gguf_writer_free(mkeep_gguf_writer *writer);

/**
 * Sets the value of a key, which may be one of another file: `type` says which of its fields counts.
 * Nothing of it is borrowed.
 *
 * MKEEP_STATUS_INVALID_ARGUMENT for a number that is not of its type, and for a type that there is not.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_writer_set(const mkeep_gguf_writer *writer,
                                   const char *key,
                                   const mkeep_value *value,
                                   mkeep_error **error);

/**
 * Sets the value of a key to a string.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_writer_set_str(const mkeep_gguf_writer *writer,
                                       const char *key,
                                       const char *value,
                                       mkeep_error **error);

/**
 * Sets the value of a key to an array of numbers or truths, `count` of them as C has them: of `element`,
 * an mkeep_value_type, such as `int32_t` for MKEEP_VALUE_TYPE_I32; a truth is a byte. Nothing of it is
 * borrowed.
 *
 * MKEEP_STATUS_INVALID_ARGUMENT for other types of elements.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_writer_set_array(const mkeep_gguf_writer *writer,
                                         const char *key,
                                         uint32_t element,
                                         const void *items,
                                         size_t count,
                                         mkeep_error **error);

/**
 * Sets the value of a key to an array of strings.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_writer_set_strs(const mkeep_gguf_writer *writer,
                                        const char *key,
                                        const char *const *strings,
                                        size_t count,
                                        mkeep_error **error);

/**
 * Adds a tensor of `len` bytes of data, which are not copied: they have to stay, unchanged, until the
 * writer is freed. `dims` are in the order of the file, the length of a row first; `type` is the number
 * of a type, as of mkeep_tensor_type_get.
 *
 * MKEEP_STATUS_INVALID_ARGUMENT for a type that is not known.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_writer_tensor(const mkeep_gguf_writer *writer,
                                      const char *name,
                                      const uint64_t *dims,
                                      size_t dim_count,
                                      uint32_t type,
                                      const void *data,
                                      size_t len,
                                      mkeep_error **error);

/**
 * Writes the file, which appears whole, or not at all. What the strict reader would refuse is not written.
 * `options` may be NULL; `no_padding` means nothing here.
 *
 * MKEEP_STATUS_INVALID_ARGUMENT for what would be refused, and for a tensor whose data do not have the size
 * of its shape; MKEEP_STATUS_ALREADY_EXISTS, MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_gguf_writer_write(const mkeep_gguf_writer *writer,
                                     const char *file,
                                     const mkeep_gguf_edit_options *options,
                                     mkeep_error **error);

/** @} */

/**
 * @defgroup tensors Tensors
 * Tensors, their numbers, and models whose tensors are in several files.
 * @{
 */

/**
 * The parts of a split model, open and in order. A file that is whole is a model of one part.
 */
typedef struct mkeep_parts mkeep_parts;

/**
 * A type of tensors that is known: blocks of so many elements in so many bytes.
 */
typedef struct {
  /**
   * `sizeof(mkeep_tensor_type)`.
   */
  size_t size;
  /**
   * Its name, as in `Q4_K`, with a NUL.
   */
  mkeep_str name;
  /**
   * Its number in a file.
   */
  uint32_t code;
  /**
   * Whether mkeep_gguf_dequantize takes it.
   */
  bool is_dequantizable;
  /**
   * Elements of one block.
   */
  uint64_t block_elements;
  /**
   * Bytes of one block.
   */
  uint64_t block_bytes;
} mkeep_tensor_type;

/**
 * A tensor.
 */
typedef struct {
  /**
   * `sizeof(mkeep_tensor)`.
   */
  size_t size;
  /**
   * Its name, without a NUL after it.
   */
  mkeep_str name;
  /**
   * The name of its type, as in `Q4_K`, with a NUL; `unknown` for one whose size is not known.
   */
  mkeep_str type_name;
  /**
   * The number of its type.
   */
  uint32_t type;
  /**
   * How many dimensions: four at most, eight where reading is lenient.
   */
  uint32_t n_dims;
  /**
   * Its data; NULL where the file is not mapped or ends before they do, and where the type is
   * not known.
   */
  const uint8_t *data;
  /**
   * Its dimensions, the fastest-varying first; 1 beyond the last.
   */
  uint64_t dims[8];
  /**
   * Where its data begin, in bytes from the beginning of the file.
   */
  uint64_t offset;
  /**
   * The bytes of its data; 0 where the type is not known.
   */
  uint64_t n_bytes;
} mkeep_tensor;

/**
 * Gets a type of tensors, of those that are known in the order of their numbers; false beyond the
 * last.
 *
 * Threads: any, at any time.
 */
bool mkeep_tensor_type_get(size_t index, mkeep_tensor_type *found);

/**
 * Writes the numbers of `row_count` rows of a tensor, from `first_row` on, to `numbers`, which has
 * room for exactly so many: `row_count * dims[0]`. Reads these rows and no others. The rows of all
 * dimensions but the first are counted through.
 *
 * MKEEP_STATUS_UNSUPPORTED for a type that is not dequantizable, MKEEP_STATUS_INVALID_ARGUMENT for
 * rows or a tensor that are not there and for room of another size, MKEEP_STATUS_NOT_FOUND where
 * the data are not at hand.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_gguf_dequantize(const mkeep_gguf *gguf,
                                   size_t tensor,
                                   uint64_t first_row,
                                   uint64_t row_count,
                                   float *numbers,
                                   size_t len,
                                   mkeep_error **error);

/**
 * Returns how many tensors there are.
 *
 * Threads: any, at any time.
 */
size_t mkeep_gguf_tensor_count(const mkeep_gguf *gguf);

/**
 * Gets a tensor; false beyond the last. Costs nothing.
 *
 * Threads: any, at any time.
 */
bool mkeep_gguf_tensor(const mkeep_gguf *gguf, size_t index, mkeep_tensor *found);

/**
 * Opens all parts of a split model, given the path of any of them: they are side by side and are
 * called `NAME-00001-of-00003.gguf`. `options` are those of mkeep_gguf_open, and may be NULL.
 *
 * MKEEP_STATUS_FILE_NOT_FOUND where a part is missing, MKEEP_STATUS_INVALID_GGUF where they do not
 * belong together; otherwise as mkeep_gguf_open.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_parts_open(const char *file,
                              const mkeep_gguf_options *options,
                              mkeep_parts **parts,
                              mkeep_error **error);

/**
 * Returns how many parts there are.
 *
 * Threads: any, at any time.
 */
size_t mkeep_parts_count(const mkeep_parts *parts);

/**
 * Makes a reference to a part, to be freed by mkeep_gguf_free; NULL beyond the last. The first
 * part has the metadata of the model.
 *
 * Threads: any, at any time.
 */
mkeep_gguf *mkeep_parts_gguf(const mkeep_parts *parts, size_t index);

/**
 * Returns how many tensors all parts have.
 *
 * Threads: any, at any time.
 */
size_t mkeep_parts_tensor_count(const mkeep_parts *parts);

/**
 * Returns the sum of the elements of all tensors of all parts.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_parts_parameter_count(const mkeep_parts *parts);

/**
 * Gets a tensor of those of all parts, and the number of its part from 0; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_parts_tensor(const mkeep_parts *parts, size_t index, size_t *part, mkeep_tensor *found);

/**
 * Frees the parts. References to a single part keep it.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_parts_free(mkeep_parts *parts);

/** @} */

/**
 * @defgroup comparing Comparing files
 * The hashes of tensors, what two files differ in, and which models share tensors.
 * @{
 */

/**
 * How to hash the tensors of a file.
 */
typedef struct {
  /**
   * `sizeof(mkeep_gguf_hash_options)`.
   */
  size_t size;
  /**
   * Whether SHA-256 is left out.
   */
  uint8_t no_sha256;
  /**
   * Whether XXH64 is left out.
   */
  uint8_t no_xxh64;
  /**
   * Whether only all tensors together are hashed, and not each of them.
   */
  uint8_t no_tensors;
  /**
   * Tells how far it is, or NULL.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_gguf_hash_options;

/**
 * How to compare two files.
 */
typedef struct {
  /**
   * `sizeof(mkeep_gguf_diff_options)`.
   */
  size_t size;
  /**
   * Tells how far it is, or NULL.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_gguf_diff_options;

/**
 * How to look for shared tensors.
 */
typedef struct {
  /**
   * `sizeof(mkeep_shared_options)`.
   */
  size_t size;
  /**
   * Tells how far it is, or NULL.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_shared_options;

/**
 * Makes JSON of the hashes of the data of tensors, each and all together, as llama-gguf-hash defines
 * them: `{"sha256", "xxh64", "tensors": [{"name", "type", "shape", "size", "sha256", "xxh64"}]}`. Works
 * on several threads. `options` may be NULL.
 *
 * MKEEP_STATUS_NOT_FOUND where the data are not at hand, MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_gguf_hash_json(const mkeep_gguf *gguf,
                                  const mkeep_gguf_hash_options *options,
                                  mkeep_string **json,
                                  mkeep_error **error);

/**
 * Compares two files: keys and values in any order, and the tensors of one name byte by byte. Makes
 * JSON of what differs, and says in `is_equal` whether nothing does: `{"keys": [{"key", "before",
 * "after"}], "tensors": [{"name", "before", "after"}], "equal_keys", "all_keys", "equal_tensors",
 * "all_tensors"}`. Works on several threads. `options` may be NULL.
 *
 * As mkeep_gguf_hash_json.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_gguf_diff_json(const mkeep_gguf *before,
                                  const mkeep_gguf *after,
                                  const mkeep_gguf_diff_options *options,
                                  bool *is_equal,
                                  mkeep_string **json,
                                  mkeep_error **error);

/**
 * Makes JSON of the tensors that some models share, or all models where `count` is 0: those of one name,
 * type and shape whose data are the same, in files that are not the same. `{"files": [{"digest", "models",
 * "tensors", "size"}], "sets": [{"files", "tensors": [{"name", "type", "shape", "size", "sha256"}],
 * "bytes"}], "repeated", "problems"}`. Works on several threads. `options` may be NULL.
 *
 * MKEEP_STATUS_NOT_FOUND for a model that is missing or has no GGUF file, MKEEP_STATUS_INVALID_GGUF,
 * MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_shared_tensors_json(const mkeep_store *store,
                                             const char *const *names,
                                             size_t count,
                                             const mkeep_shared_options *options,
                                             mkeep_string **json,
                                             mkeep_error **error);

/** @} */

/**
 * @defgroup shows Shown models
 * Everything about one model: template, parameters, metadata, what it can do.
 * @{
 */

/**
 * The type of a parameter's value. More may come.
 */
typedef enum {
  /**
   * Null, or a list or an object inside a list.
   */
  MKEEP_PARAMETER_TYPE_OTHER = 0,
  /**
   * True or false.
   */
  MKEEP_PARAMETER_TYPE_BOOL = 1,
  /**
   * A number.
   */
  MKEEP_PARAMETER_TYPE_NUMBER = 2,
  /**
   * A string.
   */
  MKEEP_PARAMETER_TYPE_STRING = 3,
} mkeep_parameter_type;

/**
 * Everything about one model.
 */
typedef struct mkeep_show mkeep_show;

/**
 * What to show of a model, and what to show in place of its own.
 */
typedef struct {
  /**
   * `sizeof(mkeep_show_options)`.
   */
  size_t size;
  /**
   * Whether the JSON has arrays in full.
   */
  uint8_t verbose;
  /**
   * A system prompt in place of the model's, or NULL.
   */
  const char *system;
  /**
   * Parameters to lay over the model's in the Modelfile, as a JSON object, or NULL.
   */
  const char *parameters;
} mkeep_show_options;

/**
 * The facts of a model.
 */
typedef struct {
  /**
   * `sizeof(mkeep_details)`.
   */
  size_t size;
  /**
   * The model that this one was made from.
   */
  mkeep_str parent_model;
  /**
   * `gguf`, `safetensors`, or empty.
   */
  mkeep_str format;
  /**
   * The architecture's family.
   */
  mkeep_str family;
  /**
   * The size for people, as in `8.0B`.
   */
  mkeep_str parameter_size;
  /**
   * The quantization's name, as in `Q4_K_M`.
   */
  mkeep_str quantization_level;
  /**
   * The name at the host that serves a remote model; empty for a local one.
   */
  mkeep_str remote_model;
  /**
   * The host that serves a remote model; empty for a local one.
   */
  mkeep_str remote_host;
  /**
   * The oldest release of Ollama that can run the model, or empty.
   */
  mkeep_str required_release;
  /**
   * Tokens of context; 0 where unknown.
   */
  uint64_t context_length;
  /**
   * Width of an embedding; 0 where unknown.
   */
  uint64_t embedding_length;
  /**
   * The time of the manifest's last change, in nanoseconds since 1970.
   */
  int64_t modified;
} mkeep_details;

/**
 * A parameter; of one that is a list, an element.
 */
typedef struct {
  /**
   * `sizeof(mkeep_parameter)`.
   */
  size_t size;
  /**
   * An mkeep_parameter_type.
   */
  uint32_t type;
  /**
   * The key, as in `temperature`.
   */
  mkeep_str key;
  /**
   * The value as a Modelfile has it, whatever its type; of a string, the string.
   */
  mkeep_str text;
  /**
   * The value of a number; of a truth 0 or 1.
   */
  double number;
} mkeep_parameter;

/**
 * A message that belongs to a model.
 */
typedef struct {
  /**
   * `sizeof(mkeep_shown_message)`.
   */
  size_t size;
  /**
   * `system`, `user` or `assistant`.
   */
  mkeep_str role;
  /**
   * The text.
   */
  mkeep_str content;
} mkeep_shown_message;

/**
 * A tensor of a shown model, without its data.
 */
typedef struct {
  /**
   * `sizeof(mkeep_shown_tensor)`.
   */
  size_t size;
  /**
   * Its name, without a NUL after it.
   */
  mkeep_str name;
  /**
   * The name of its type, as in `Q4_K`, without a NUL after it; `unknown` for types of the
   * future.
   */
  mkeep_str type_name;
  /**
   * Its dimensions in the order of the file; NULL for a scalar.
   */
  const uint64_t *dims;
  /**
   * How many dimensions.
   */
  size_t n_dims;
} mkeep_shown_tensor;

/**
 * Shows a model: opens its manifest and each blob that is needed once, and maps the GGUF file.
 * `options` may be NULL.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_FILE_NOT_FOUND where a blob is missing,
 * MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT, MKEEP_STATUS_INVALID_GGUF,
 * MKEEP_STATUS_INVALID_TEMPLATE, MKEEP_STATUS_INVALID_ARGUMENT for the options.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_show(const mkeep_store *store,
                              const char *name,
                              const mkeep_show_options *options,
                              mkeep_show **show,
                              mkeep_error **error);

/**
 * Returns the template that renders prompts: the chat template of the GGUF file, or a Go template.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_show_template(const mkeep_show *show);

/**
 * Returns the system prompt.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_show_system(const mkeep_show *show);

/**
 * Returns a Modelfile that makes the model again.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_show_modelfile(const mkeep_show *show);

/**
 * Gets the facts; false for NULL.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_details(const mkeep_show *show, mkeep_details *details);

/**
 * Gets a family of the architecture; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_family(const mkeep_show *show, size_t index, mkeep_str *family);

/**
 * Gets what the model can do, as in `completion` or `tools`; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_capability(const mkeep_show *show, size_t index, mkeep_str *capability);

/**
 * Gets the text of a license; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_license(const mkeep_show *show, size_t index, mkeep_str *license);

/**
 * Gets a parameter, in the order of keys; of one that is a list, such as `stop`, one element after
 * the other, under the same key. False beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_parameter(const mkeep_show *show, size_t index, mkeep_parameter *parameter);

/**
 * Gets a message that belongs to the model; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_message(const mkeep_show *show, size_t index, mkeep_shown_message *message);

/**
 * Makes the body of POST /api/show.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_show_json(const mkeep_show *show, mkeep_string **json, mkeep_error **error);

/**
 * Frees a shown model.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_show_free(mkeep_show *show);

/**
 * Shows a model as the body of POST /api/show. `options` may be NULL.
 *
 * As mkeep_store_show.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_show_json(const mkeep_store *store,
                                   const char *name,
                                   const mkeep_show_options *options,
                                   mkeep_string **json,
                                   mkeep_error **error);

/**
 * Gets a key-value pair of the metadata, in the order of keys, arrays whole; false beyond the
 * last. Of safetensors and remote models it is what stands in their place.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_info(const mkeep_show *show, size_t index, mkeep_str *key, mkeep_value *value);

/**
 * Gets a key-value pair of the metadata of the first projector; false beyond the last, and where
 * there is none.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_projector_info(const mkeep_show *show,
                               size_t index,
                               mkeep_str *key,
                               mkeep_value *value);

/**
 * Finds the value of a key of the metadata; false where there is none.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_find_info(const mkeep_show *show, const char *key, mkeep_value *value);

/**
 * Gets a tensor, in the order of the file; false beyond the last. Of safetensors models they are
 * there only where `verbose` was asked for.
 *
 * Threads: any, at any time.
 */
bool mkeep_show_tensor(const mkeep_show *show, size_t index, mkeep_shown_tensor *tensor);

/** @} */

/**
 * @defgroup models Models
 * A snapshot of one model: its layers, its paths, its config.
 * @{
 */

/**
 * The config of a model.
 */
typedef struct mkeep_config mkeep_config;

/**
 * One model: a snapshot of its manifest. What is stored under its name may change meanwhile; the
 * snapshot does not.
 */
typedef struct mkeep_model mkeep_model;

/**
 * What a config says. What it does not say is empty or 0.
 */
typedef struct {
  /**
   * `sizeof(mkeep_config_facts)`.
   */
  size_t size;
  /**
   * `gguf`, `safetensors`, or empty.
   */
  mkeep_str format;
  /**
   * The architecture's family.
   */
  mkeep_str family;
  /**
   * The size for people, as in `8.0B`.
   */
  mkeep_str parameter_size;
  /**
   * The quantization's name, as in `Q4_K_M`.
   */
  mkeep_str quantization_level;
  /**
   * The built-in renderer of prompts, in place of a template.
   */
  mkeep_str renderer;
  /**
   * The built-in parser of answers.
   */
  mkeep_str parser;
  /**
   * The oldest release of Ollama that can run the model.
   */
  mkeep_str required_release;
  /**
   * The base model's name.
   */
  mkeep_str base_name;
  /**
   * The name at the host that serves a remote model.
   */
  mkeep_str remote_model;
  /**
   * The host that serves a remote model.
   */
  mkeep_str remote_host;
  /**
   * Tokens of context.
   */
  int64_t context_length;
  /**
   * Width of an embedding.
   */
  int64_t embedding_length;
} mkeep_config_facts;

/**
 * A layer of a model, which names a blob.
 */
typedef struct {
  /**
   * `sizeof(mkeep_layer)`.
   */
  size_t size;
  /**
   * What the blob holds: `model`, `projector`, `adapter`, `template`, `system`, `params`,
   * `messages`, `license`, `config` and others, or the whole media type where it is not known.
   */
  mkeep_str kind;
  /**
   * The digest as the manifest spells it.
   */
  mkeep_str digest;
  /**
   * Where the blob is, or should be; empty where the digest is malformed.
   */
  mkeep_str path;
  /**
   * Its size in bytes, as the manifest states it.
   */
  int64_t n_bytes;
} mkeep_layer;

/**
 * Reads the config of a model: one small file, once.
 *
 * MKEEP_STATUS_FILE_NOT_FOUND where it is missing, MKEEP_STATUS_CORRUPT, MKEEP_STATUS_NOT_FOUND
 * where the manifest has none.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_model_config(const mkeep_model *model,
                                mkeep_config **config,
                                mkeep_error **error);

/**
 * Gets what it says; false for NULL.
 *
 * Threads: any, at any time.
 */
bool mkeep_config_get(const mkeep_config *config, mkeep_config_facts *facts);

/**
 * Gets a family of the architecture; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_config_family(const mkeep_config *config, size_t index, mkeep_str *family);

/**
 * Gets a capability that the publisher states; false beyond the last. What a model can do in all is
 * mkeep_show_capability.
 *
 * Threads: any, at any time.
 */
bool mkeep_config_capability(const mkeep_config *config, size_t index, mkeep_str *capability);

/**
 * Makes the JSON of the config.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_config_json(const mkeep_config *config,
                               mkeep_string **json,
                               mkeep_error **error);

/**
 * Frees a config.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_config_free(mkeep_config *config);

/**
 * Takes a snapshot of a model. Opens one file.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_model(const mkeep_store *store,
                               const char *name,
                               mkeep_model **model,
                               mkeep_error **error);

/**
 * Returns the name under which it is stored, as in `llama3.2:latest`.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_model_name(const mkeep_model *model);

/**
 * Returns the digest of the manifest as a list has it: 64 hexadecimal digits.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_model_digest(const mkeep_model *model);

/**
 * Returns the bytes of all blobs, as the manifest states them.
 *
 * Threads: any, at any time.
 */
int64_t mkeep_model_size(const mkeep_model *model);

/**
 * Returns the time of the manifest's last change, in nanoseconds since 1970.
 *
 * Threads: any, at any time.
 */
int64_t mkeep_model_modified(const mkeep_model *model);

/**
 * Returns how many layers there are, the config among them.
 *
 * Threads: any, at any time.
 */
size_t mkeep_model_layer_count(const mkeep_model *model);

/**
 * Gets a layer, in the order of the manifest, the config last; false beyond it. Opens nothing.
 *
 * Threads: any, at any time.
 */
bool mkeep_model_layer(const mkeep_model *model, size_t index, mkeep_layer *layer);

/**
 * Finds the path of the GGUF file with the weights.
 *
 * MKEEP_STATUS_NOT_FOUND where the model has none, MKEEP_STATUS_FILE_NOT_FOUND where it is
 * missing, MKEEP_STATUS_CORRUPT, MKEEP_STATUS_UNSUPPORTED where the weights are in several files.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_model_path(const mkeep_model *model, mkeep_string **path, mkeep_error **error);

/**
 * Opens the GGUF file with the weights, leniently.
 *
 * As mkeep_model_path and mkeep_gguf_open.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_model_gguf(const mkeep_model *model, mkeep_gguf **gguf, mkeep_error **error);

/**
 * Shows the model, as mkeep_store_show does.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_model_show(const mkeep_model *model,
                              const mkeep_show_options *options,
                              mkeep_show **show,
                              mkeep_error **error);

/**
 * Frees a model.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_model_free(mkeep_model *model);

/** @} */

/**
 * @defgroup finding Finding models
 * By a digest, an ID, or a file.
 * @{
 */

/**
 * The models that a digest, an ID or a file belongs to.
 */
typedef struct mkeep_uses mkeep_uses;

/**
 * A part of a model.
 */
typedef struct {
  /**
   * `sizeof(mkeep_use)`.
   */
  size_t size;
  /**
   * The model.
   */
  mkeep_str name;
  /**
   * `manifest`, or what the layer holds: `model`, `projector`, `template`, `config` and others.
   */
  mkeep_str kind;
  /**
   * The digest: of the layer's blob, or of the manifest as a list has it.
   */
  mkeep_str digest;
} mkeep_use;

/**
 * Finds the models that something belongs to: a digest or the ID of a model, in full or its first
 * digits, at least 12; or the path of a blob, of a manifest, or of any other file, which is then
 * hashed. Reads every manifest.
 *
 * MKEEP_STATUS_FILE_NOT_FOUND for a path where no file is.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_which(const mkeep_store *store,
                               const char *what,
                               mkeep_uses **uses,
                               mkeep_error **error);

/**
 * Finds the stored name of a model, given by its name or by its ID, in full or its first digits,
 * at least 12. A stored name wins. Reads every manifest where the name is not stored.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_INVALID_ARGUMENT for the first
 * digits of several IDs.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_identify(const mkeep_store *store,
                                  const char *name,
                                  mkeep_string **stored,
                                  mkeep_error **error);

/**
 * Gets a part of a model, by name and then in the manifest's order; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_uses_get(const mkeep_uses *uses, size_t index, mkeep_use *part);

/**
 * Gets a manifest that cannot be read, and may name it; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_uses_problem(const mkeep_uses *uses, size_t index, mkeep_problem *problem);

/**
 * Makes the JSON of the result.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_uses_json(const mkeep_uses *uses, mkeep_string **json, mkeep_error **error);

/**
 * Frees what was found.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_uses_free(mkeep_uses *uses);

/** @} */

/**
 * @defgroup copying Copying and renaming
 * One more name for the same blobs, or another one.
 * @{
 */

/**
 * What a copy or a rename did.
 */
typedef struct mkeep_copied mkeep_copied;

/**
 * How to copy.
 */
typedef struct {
  /**
   * `sizeof(mkeep_copy_options)`.
   */
  size_t size;
  /**
   * Whether a model that has the new name stays: MKEEP_STATUS_ALREADY_EXISTS. Otherwise it is
   * replaced, as Ollama does.
   */
  uint8_t no_replace;
  /**
   * Zero, until a later release has fields here.
   */
  uint8_t reserved[7];
} mkeep_copy_options;

/**
 * Copies a model: one more name for the same blobs. A model that has that name is replaced.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_copy(const mkeep_store *store,
                              const char *source,
                              const char *destination,
                              mkeep_error **error);

/**
 * Copies a model, by options. `options` and `copied` may be NULL; `copied` is what was done.
 *
 * As mkeep_store_copy; MKEEP_STATUS_ALREADY_EXISTS where a model has the new name and was not to be
 * replaced, MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_copy_with(const mkeep_store *store,
                                   const char *source,
                                   const char *destination,
                                   const mkeep_copy_options *options,
                                   mkeep_copied **copied,
                                   mkeep_error **error);

/**
 * Gives a model another name. The new name is there before the old one goes.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_ALREADY_EXISTS where a model has
 * the new name.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_rename(const mkeep_store *store,
                                const char *source,
                                const char *destination,
                                mkeep_error **error);

/**
 * Returns the stored name of the model that was copied.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_copied_from(const mkeep_copied *copied);

/**
 * Returns the stored name of the copy: that of an existing model which differs only in case.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_copied_to(const mkeep_copied *copied);

/**
 * Returns whether a model of that name was replaced. Its blobs stay until they are collected.
 *
 * Threads: any, at any time.
 */
bool mkeep_copied_is_replacement(const mkeep_copied *copied);

/**
 * Makes the JSON of the result.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_copied_json(const mkeep_copied *copied,
                               mkeep_string **json,
                               mkeep_error **error);

/**
 * Frees the result of a copy.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_copied_free(mkeep_copied *copied);

/** @} */

/**
 * @defgroup deleting Deleting
 * Models, and the blobs that only they use.
 * @{
 */

/**
 * What a delete did.
 */
typedef struct mkeep_deleted mkeep_deleted;

/**
 * How to delete.
 */
typedef struct {
  /**
   * `sizeof(mkeep_delete_options)`.
   */
  size_t size;
  /**
   * Whether nothing is changed, and the result is what would be deleted.
   */
  uint8_t dry_run;
  /**
   * Zero, until a later release has fields here.
   */
  uint8_t reserved[7];
} mkeep_delete_options;

/**
 * A model that was not deleted.
 */
typedef struct {
  /**
   * `sizeof(mkeep_failure)`.
   */
  size_t size;
  /**
   * Why: the status that a call for it alone would have.
   */
  mkeep_status status;
  /**
   * The name as the caller gave it.
   */
  mkeep_str name;
  /**
   * Why, in words.
   */
  mkeep_str message;
} mkeep_failure;

/**
 * A blob that stays because other models use it.
 */
typedef struct {
  /**
   * `sizeof(mkeep_shared_blob)`.
   */
  size_t size;
  /**
   * The blob, as in `sha256:...`.
   */
  mkeep_str digest;
  /**
   * How many models use it.
   */
  size_t n_models;
  /**
   * Its bytes on the disk.
   */
  uint64_t n_bytes;
} mkeep_shared_blob;

/**
 * A name that was an alias: only the link went, and the model stays.
 */
typedef struct {
  /**
   * `sizeof(mkeep_alias)`.
   */
  size_t size;
  /**
   * The name.
   */
  mkeep_str name;
  /**
   * The link. Other names may lead through it, too.
   */
  mkeep_str link;
  /**
   * The model that the name leads to.
   */
  mkeep_str model;
} mkeep_alias;

/**
 * Deletes a model, and the blobs that only it uses. `deleted`, which may be NULL, is what was
 * done. Where a blob cannot be removed the model is gone all the same, and a garbage collection
 * takes the blob.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_delete(const mkeep_store *store,
                                const char *name,
                                mkeep_deleted **deleted,
                                mkeep_error **error);

/**
 * Deletes several models at the cost of one. Those that fail stop nothing: they are the failures
 * of `deleted`.
 *
 * MKEEP_STATUS_INVALID_NAME where one of the names is malformed: then nothing was deleted.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_delete_all(const mkeep_store *store,
                                    const char *const *names,
                                    size_t count,
                                    mkeep_deleted **deleted,
                                    mkeep_error **error);

/**
 * Deletes several models at the cost of one, or says what would be deleted. `options` and `deleted`
 * may be NULL. How long it waits for a server beside us is an option of the store.
 *
 * As mkeep_store_delete_all; MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_delete_with(const mkeep_store *store,
                                     const char *const *names,
                                     size_t count,
                                     const mkeep_delete_options *options,
                                     mkeep_deleted **deleted,
                                     mkeep_error **error);

/**
 * Returns whether nothing was changed.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_is_dry_run(const mkeep_deleted *deleted);

/**
 * Returns the bytes on the disk that became free, or would.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_deleted_bytes(const mkeep_deleted *deleted);

/**
 * Gets the name of a model that is gone; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_model(const mkeep_deleted *deleted, size_t index, mkeep_str *name);

/**
 * Gets a name that was not deleted, and why; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_failure(const mkeep_deleted *deleted, size_t index, mkeep_failure *failure);

/**
 * Gets the digest of a blob that went with the models; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_blob(const mkeep_deleted *deleted, size_t index, mkeep_str *digest);

/**
 * Gets the digest of a blob that was put back, because somebody began to use it while it was being
 * removed; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_restored(const mkeep_deleted *deleted, size_t index, mkeep_str *digest);

/**
 * Gets a blob that other models use, and that stays: why less became free than the models took;
 * false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_shared(const mkeep_deleted *deleted, size_t index, mkeep_shared_blob *blob);

/**
 * Gets the name of the model at `nth` of those that use the shared blob at `index`; false beyond
 * the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_shared_model(const mkeep_deleted *deleted,
                                size_t index,
                                size_t nth,
                                mkeep_str *name);

/**
 * Gets a name that was an alias; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_alias(const mkeep_deleted *deleted, size_t index, mkeep_alias *alias);

/**
 * Gets a reason why blobs were kept: a manifest that cannot be read may use any of them, or another
 * program has one open; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_deleted_kept(const mkeep_deleted *deleted, size_t index, mkeep_problem *problem);

/**
 * Makes the JSON of the result.
 *
 * MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_deleted_json(const mkeep_deleted *deleted,
                                mkeep_string **json,
                                mkeep_error **error);

/**
 * Frees the result of a delete.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_deleted_free(mkeep_deleted *deleted);

/** @} */

/**
 * @defgroup importing Importing
 * A GGUF file, what a Modelfile says, or a model with edited metadata becomes a model.
 * @{
 */

/**
 * How the bytes of a file come into the store.
 */
typedef enum {
  /**
   * By reflink where the file system can, else by copy.
   */
  MKEEP_COPY_MODE_AUTO = 0,
  /**
   * By reflink only: the blocks are shared until one of the two is written to.
   */
  MKEEP_COPY_MODE_REFLINK = 1,
  /**
   * By hard link only: no second copy, but who writes to the file destroys the blob.
   */
  MKEEP_COPY_MODE_HARD_LINK = 2,
  /**
   * By copy only.
   */
  MKEEP_COPY_MODE_COPY = 3,
} mkeep_copy_mode;

/**
 * What an import made.
 */
typedef struct mkeep_imported mkeep_imported;

/**
 * A message that belongs to a model.
 */
typedef struct {
  /**
   * `system`, `user` or `assistant`.
   */
  const char *role;
  /**
   * The text.
   */
  const char *content;
} mkeep_message;

/**
 * What a model is made of besides its weights, and how they come into the store.
 */
typedef struct {
  /**
   * `sizeof(mkeep_import_options)`.
   */
  size_t size;
  /**
   * An mkeep_copy_mode.
   */
  uint32_t copy_mode;
  /**
   * Whether a model of that name is replaced.
   */
  uint8_t replace;
  /**
   * The Go template, or NULL: none is guessed.
   */
  const char *go_template;
  /**
   * The system prompt, or NULL.
   */
  const char *system;
  /**
   * The parameters as a JSON object, as in `{"temperature":0.7,"stop":["</s>"]}`, or NULL.
   */
  const char *parameters;
  /**
   * The built-in renderer of prompts, or NULL.
   */
  const char *renderer;
  /**
   * The built-in parser of answers, or NULL.
   */
  const char *parser;
  /**
   * The oldest release of Ollama that can run the model, or NULL.
   */
  const char *required_release;
  /**
   * The texts of the licenses.
   */
  const char *const *licenses;
  /**
   * How many.
   */
  size_t n_licenses;
  /**
   * The paths of GGUF files with projectors.
   */
  const char *const *projectors;
  /**
   * How many.
   */
  size_t n_projectors;
  /**
   * The paths of GGUF files with adapters.
   */
  const char *const *adapters;
  /**
   * How many.
   */
  size_t n_adapters;
  /**
   * The messages that belong to the model.
   */
  const mkeep_message *messages;
  /**
   * How many.
   */
  size_t n_messages;
  /**
   * Tells how far it is, or NULL.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_import_options;

/**
 * Something unusual in a file that was imported.
 */
typedef struct {
  /**
   * `sizeof(mkeep_file_warning)`.
   */
  size_t size;
  /**
   * The file, as it was named.
   */
  mkeep_str file;
  /**
   * What it is: a code that never changes, as in `nested_array`.
   */
  mkeep_str code;
  /**
   * The place in the structure; the first of several.
   */
  mkeep_str path;
  /**
   * What it is, in words.
   */
  mkeep_str message;
} mkeep_file_warning;

/**
 * Makes a model of a GGUF file. `options` and `imported` may be NULL; `imported` is what was done.
 *
 * MKEEP_STATUS_ALREADY_EXISTS where the name is taken and was not to be replaced,
 * MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED,
 * MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_INVALID_TEMPLATE, MKEEP_STATUS_CANCELLED,
 * MKEEP_STATUS_INVALID_ARGUMENT for the options, and where the blobs belong to another user. Blobs
 * that nothing uses may be left where it fails late.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_import(const mkeep_store *store,
                                const char *file,
                                const char *name,
                                const mkeep_import_options *options,
                                mkeep_imported **imported,
                                mkeep_error **error);

/**
 * Makes a model of a file that is a Modelfile where it is a text that is nothing else, and a GGUF
 * file otherwise; then as mkeep_store_import_modelfile or mkeep_store_import.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_import_file(const mkeep_store *store,
                                     const char *file,
                                     const char *name,
                                     const mkeep_import_options *options,
                                     mkeep_imported **imported,
                                     mkeep_error **error);

/**
 * Makes a model as a Modelfile says, from GGUF files or from a model of this store. What the
 * options state wins over the Modelfile, and licenses add up; otherwise as mkeep_store_import.
 *
 * As mkeep_store_import; MKEEP_STATUS_NOT_FOUND for a model that the Modelfile names;
 * MKEEP_STATUS_INVALID_ARGUMENT, with the line, for a malformed Modelfile.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_import_modelfile(const mkeep_store *store,
                                          const char *file,
                                          const char *name,
                                          const mkeep_import_options *options,
                                          mkeep_imported **imported,
                                          mkeep_error **error);

/**
 * Returns the model's name, in its stored spelling.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_imported_name(const mkeep_imported *imported);

/**
 * Returns the digest of the weights, as in `sha256:...`: of the first layer.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_imported_digest(const mkeep_imported *imported);

/**
 * Returns the bytes of the weights.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_imported_bytes(const mkeep_imported *imported);

/**
 * Returns whether a model of that name was replaced.
 *
 * Threads: any, at any time.
 */
bool mkeep_imported_is_replacement(const mkeep_imported *imported);

/**
 * Gets a parameter of the Modelfile that says nothing any more, and was left out; false beyond the
 * last.
 *
 * Threads: any, at any time.
 */
bool mkeep_imported_ignored(const mkeep_imported *imported, size_t index, mkeep_str *parameter);

/**
 * Gets what is unusual in the files, and may be refused elsewhere; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_imported_warning(const mkeep_imported *imported,
                            size_t index,
                            mkeep_file_warning *warning);

/**
 * Makes the JSON of the result.
 *
 * MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_imported_json(const mkeep_imported *imported,
                                 mkeep_string **json,
                                 mkeep_error **error);

/**
 * Frees the result of an import.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_imported_free(mkeep_imported *imported);

/**
 * Makes a model `to` of another one with edited metadata: its GGUF file is written anew and hashed, and
 * the template, the parameters, the licenses and all else are used once more. The model that is edited
 * stays as it is, unless `to` is its name and is to be replaced. The changes are made in their order.
 * `options` and `imported` may be NULL; `imported` is what was done.
 *
 * MKEEP_STATUS_NOT_FOUND for a model or a key that is not there, MKEEP_STATUS_INVALID_ARGUMENT for a
 * value that is not of its type, MKEEP_STATUS_ALREADY_EXISTS where the name is taken and was not to be
 * replaced, MKEEP_STATUS_UNSUPPORTED for weights in several files, MKEEP_STATUS_INVALID_NAME,
 * MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_edit(const mkeep_store *store,
                              const char *model,
                              const char *to,
                              const mkeep_gguf_change *changes,
                              size_t count,
                              const mkeep_gguf_edit_options *options,
                              mkeep_imported **imported,
                              mkeep_error **error);

/** @} */

/**
 * @defgroup archives Archives
 * Models leave a store in the image layout of OCI, and come back.
 * @{
 */

/**
 * What an export wrote.
 */
typedef struct mkeep_exported mkeep_exported;

/**
 * What the import of an archive made.
 */
typedef struct mkeep_imported_archive mkeep_imported_archive;

/**
 * How the models of an archive are taken in.
 */
typedef struct {
  /**
   * `sizeof(mkeep_import_archive_options)`.
   */
  size_t size;
  /**
   * Whether other models that have these names are replaced.
   */
  uint8_t replace;
  /**
   * The name of the one model of the archive, or NULL: its own.
   */
  const char *name;
  /**
   * Tells how far it is, or NULL. Where it cancels, no model is visible; whole blobs stay for the
   * next import to use.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_import_archive_options;

/**
 * A model that came out of an archive.
 */
typedef struct {
  /**
   * `sizeof(mkeep_archived_model)`.
   */
  size_t size;
  /**
   * Whether another model of that name was replaced.
   */
  uint8_t replaced;
  /**
   * The model's name, in its stored spelling.
   */
  mkeep_str name;
} mkeep_archived_model;

/**
 * How models are exported.
 */
typedef struct {
  /**
   * `sizeof(mkeep_export_options)`.
   */
  size_t size;
  /**
   * Whether an archive that is there is replaced, and in a directory the models of these names.
   */
  uint8_t replace;
  /**
   * Tells how far it is, or NULL. Where it cancels, nothing is left behind.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_export_options;

/**
 * Takes in the models of an archive or a directory in the image layout of OCI. Every blob is hashed
 * while it comes in, what is stored is not written again, and no model is visible before all are
 * complete. `options` and `imported` may be NULL; `imported` is what was done. Blobs that were
 * whole when it failed stay for the next import to use, or for a garbage collection.
 *
 * MKEEP_STATUS_CORRUPT for what is no archive, is cut short or was damaged on its way,
 * MKEEP_STATUS_UNSUPPORTED for images that are no models, MKEEP_STATUS_ALREADY_EXISTS where another
 * model has a name and was not to be replaced, MKEEP_STATUS_INVALID_NAME,
 * MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_CANCELLED, MKEEP_STATUS_INVALID_ARGUMENT for one name
 * and several models, and where the blobs belong to another user.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_import_archive(const mkeep_store *store,
                                        const char *from,
                                        const mkeep_import_archive_options *options,
                                        mkeep_imported_archive **imported,
                                        mkeep_error **error);

/**
 * Takes in the models of an archive that comes as a stream, whatever its order; otherwise as
 * mkeep_store_import_archive. What is small and not needed yet is kept in memory, up to a limit.
 *
 * `read` is called until it returns 0 or the archive ends: on the calling thread, and where the
 * options have a `progress` on another one, while the calling thread waits.
 *
 * As mkeep_store_import_archive; MKEEP_STATUS_IO where the stream cannot be read.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_import_stream(const mkeep_store *store,
                                       mkeep_read read,
                                       void *user,
                                       const mkeep_import_archive_options *options,
                                       mkeep_imported_archive **imported,
                                       mkeep_error **error);

/**
 * Makes a model of a manifest that was downloaded by itself, and of those files in the directory
 * `from` that have the bytes of its blobs, whatever their names. Files of a size that the manifest
 * states are hashed; what is stored already need not be there. The options must have a `name`.
 *
 * MKEEP_STATUS_FILE_NOT_FOUND, with their digests, where blobs are neither there nor stored; then
 * nothing was changed. MKEEP_STATUS_CORRUPT for what is no manifest; otherwise as
 * mkeep_store_import_archive.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_import_manifest(const mkeep_store *store,
                                         const char *manifest,
                                         const char *from,
                                         const mkeep_import_archive_options *options,
                                         mkeep_imported_archive **imported,
                                         mkeep_error **error);

/**
 * Returns whether a path is that of an archive or a directory that mkeep_store_import_archive takes,
 * told from the first bytes of a file and from what is in a directory. One that ends in `.tar` is
 * meant as one in any case.
 *
 * Threads: any, at any time.
 */
bool mkeep_store_is_archive(const char *from);

/**
 * Gets a model that came out of the archive, in its order; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_imported_archive_model(const mkeep_imported_archive *imported,
                                  size_t index,
                                  mkeep_archived_model *model);

/**
 * Returns how many blobs were written.
 *
 * Threads: any, at any time.
 */
size_t mkeep_imported_archive_new_blobs(const mkeep_imported_archive *imported);

/**
 * Returns the bytes of the blobs that were written.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_imported_archive_new_bytes(const mkeep_imported_archive *imported);

/**
 * Returns how many blobs were there already, undamaged, and were not written again.
 *
 * Threads: any, at any time.
 */
size_t mkeep_imported_archive_shared_blobs(const mkeep_imported_archive *imported);

/**
 * Makes the JSON of the result.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_imported_archive_json(const mkeep_imported_archive *imported,
                                         mkeep_string **json,
                                         mkeep_error **error);

/**
 * Frees the result of the import of an archive.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_imported_archive_free(mkeep_imported_archive *imported);

/**
 * Writes models to a path that ends in `.tar` as one archive, and to any other as a directory, to
 * which they are added where it holds an image layout already. Every blob is hashed while it is
 * written. `options` and `exported` may be NULL; `exported` is what was written.
 *
 * MKEEP_STATUS_NOT_FOUND and MKEEP_STATUS_INVALID_NAME for one of the names,
 * MKEEP_STATUS_FILE_NOT_FOUND where a blob is missing, MKEEP_STATUS_CORRUPT where one is damaged,
 * MKEEP_STATUS_ALREADY_EXISTS, MKEEP_STATUS_INVALID_ARGUMENT for no name and for a path that
 * something else is at, MKEEP_STATUS_UNSUPPORTED, MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_export(const mkeep_store *store,
                                const char *const *names,
                                size_t count,
                                const char *to,
                                const mkeep_export_options *options,
                                mkeep_exported **exported,
                                mkeep_error **error);

/**
 * Writes models as one archive to a stream, which needs no seeking; otherwise as mkeep_store_export.
 * One that was broken off has no end of an archive, so nobody takes it for a whole one. Of the
 * options, `replace` means nothing here.
 *
 * `write` is called until it has taken everything: on the calling thread, and where the options
 * have a `progress` on another one, while the calling thread waits.
 *
 * As mkeep_store_export; MKEEP_STATUS_IO where the stream takes no more.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_export_to(const mkeep_store *store,
                                   const char *const *names,
                                   size_t count,
                                   mkeep_write write,
                                   void *user,
                                   const mkeep_export_options *options,
                                   mkeep_exported **exported,
                                   mkeep_error **error);

/**
 * Gets the name of a model that was exported, in order; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_exported_model(const mkeep_exported *exported, size_t index, mkeep_str *name);

/**
 * Returns how many blobs the models have together.
 *
 * Threads: any, at any time.
 */
size_t mkeep_exported_blobs(const mkeep_exported *exported);

/**
 * Returns the bytes of these blobs.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_exported_bytes(const mkeep_exported *exported);

/**
 * Makes the JSON of the result.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_exported_json(const mkeep_exported *exported,
                                 mkeep_string **json,
                                 mkeep_error **error);

/**
 * Frees the result of an export.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_exported_free(mkeep_exported *exported);

/** @} */

/**
 * @defgroup registries Registries
 * Models come from a registry of OCI images and go there, where the library was built with that.
 * @{
 */

/**
 * What a pull did.
 */
typedef struct mkeep_pulled mkeep_pulled;

/**
 * What a push did.
 */
typedef struct mkeep_pushed mkeep_pushed;

/**
 * What a registry has: repositories, or the tags of one.
 */
typedef struct mkeep_remote_list mkeep_remote_list;

/**
 * How a registry is reached, and as whom.
 */
typedef struct {
  /**
   * `sizeof(mkeep_registry_options)`.
   */
  size_t size;
  /**
   * Whether it is reached by plain HTTP, which everybody on the way can read and change. One on
   * this machine is without it, where it does not speak TLS.
   */
  uint8_t plain_http;
  /**
   * How many transfers run at a time, 64 at most; 0 is 4.
   */
  uint32_t connections;
  /**
   * A file of certificates, as PEM, that the registry's is checked against, in place of the
   * system's; or NULL.
   */
  const char *ca_file;
  /**
   * A file with the certificate that the registry asks for, as PEM, or NULL.
   */
  const char *client_certificate;
  /**
   * A file with the key of that certificate, as PEM, or NULL.
   */
  const char *client_key;
  /**
   * The user, in place of what `docker login` or `podman login` stored, or NULL.
   */
  const char *username;
  /**
   * The user's password, or NULL.
   */
  const char *password;
  /**
   * A token that the registry takes as it is, in place of user and password, or NULL.
   */
  const char *token;
} mkeep_registry_options;

/**
 * How a model is pulled.
 */
typedef struct {
  /**
   * `sizeof(mkeep_pull_options)`.
   */
  size_t size;
  /**
   * Whether a model that has the name stays: MKEEP_STATUS_ALREADY_EXISTS. Otherwise it is
   * replaced, as Ollama does.
   */
  uint8_t no_replace;
  /**
   * How the registry is reached, or NULL.
   */
  const mkeep_registry_options *registry;
  /**
   * Tells how far it is, or NULL. Where it cancels, the next pull continues with what has come.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_pull_options;

/**
 * How a model is pushed.
 */
typedef struct {
  /**
   * `sizeof(mkeep_push_options)`.
   */
  size_t size;
  /**
   * How the registry is reached, or NULL.
   */
  const mkeep_registry_options *registry;
  /**
   * Tells how far it is, or NULL. Where it cancels, the next push finds the whole blobs there.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_push_options;

/**
 * How a registry is asked what it has.
 */
typedef struct {
  /**
   * `sizeof(mkeep_ls_remote_options)`.
   */
  size_t size;
  /**
   * How the registry is reached, or NULL.
   */
  const mkeep_registry_options *registry;
  /**
   * Is asked whether to go on, or NULL; of bytes it is told 0.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_ls_remote_options;

/**
 * What a pull did.
 */
typedef struct {
  /**
   * `sizeof(mkeep_pulled_facts)`.
   */
  size_t size;
  /**
   * What was asked for.
   */
  mkeep_str reference;
  /**
   * The model's name here, in its stored spelling.
   */
  mkeep_str name;
  /**
   * The digest of the registry's manifest.
   */
  mkeep_str digest;
  /**
   * Whether another model of that name was replaced.
   */
  bool is_replacement;
  /**
   * How many blobs came.
   */
  size_t new_blobs;
  /**
   * The bytes of the blobs that came.
   */
  uint64_t new_bytes;
  /**
   * How many of these bytes an earlier pull had fetched, before it broke off.
   */
  uint64_t resumed_bytes;
  /**
   * How many blobs were there already.
   */
  size_t shared_blobs;
} mkeep_pulled_facts;

/**
 * What a push did.
 */
typedef struct {
  /**
   * `sizeof(mkeep_pushed_facts)`.
   */
  size_t size;
  /**
   * The model's name here, in its stored spelling.
   */
  mkeep_str name;
  /**
   * Where it is.
   */
  mkeep_str reference;
  /**
   * The digest of its manifest.
   */
  mkeep_str digest;
  /**
   * How many blobs were sent.
   */
  size_t sent_blobs;
  /**
   * The bytes of the blobs that were sent.
   */
  uint64_t sent_bytes;
  /**
   * How many blobs the registry had in another repository.
   */
  size_t mounted_blobs;
  /**
   * How many blobs were there already.
   */
  size_t shared_blobs;
} mkeep_pushed_facts;

/**
 * Returns whether the library was built with the client of registries, which is asked for
 * (MODELKEEP_REGISTRY of cmake). Without it, mkeep_store_pull, mkeep_store_push and mkeep_ls_remote
 * return MKEEP_STATUS_UNSUPPORTED.
 *
 * Threads: any, at any time.
 */
bool mkeep_has_registry(void);

/**
 * Fetches a model from a registry: its manifest, and those blobs that the store has not.
 * `reference` is `REGISTRY/REPOSITORY`, with `:TAG` or `@DIGEST`; `name` is the model's name here,
 * or NULL: that of the registry, of a repository of two parts. `options` and `pulled` may be NULL;
 * `pulled` is what was done.
 *
 * Each blob is hashed while it comes, and the model is visible when all are there. A pull that
 * broke off, however it did, is continued by the next one.
 *
 * MKEEP_STATUS_NETWORK where the registry cannot be reached or does not answer as one,
 * MKEEP_STATUS_NOT_FOUND where it has no such model, MKEEP_STATUS_PERMISSION_DENIED where it wants
 * to know who asks or does not let them, MKEEP_STATUS_CORRUPT for bytes of another digest or
 * length, MKEEP_STATUS_ALREADY_EXISTS, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CANCELLED,
 * MKEEP_STATUS_INVALID_ARGUMENT for the options, MKEEP_STATUS_FILE_NOT_FOUND for a file that they
 * name, MKEEP_STATUS_UNSUPPORTED for what is no model, and without mkeep_has_registry.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_pull(const mkeep_store *store,
                              const char *reference,
                              const char *name,
                              const mkeep_pull_options *options,
                              mkeep_pulled **pulled,
                              mkeep_error **error);

/**
 * Sends a model to a registry: those blobs that it has not, and then the manifest, as it is stored.
 * `to` is `REGISTRY/REPOSITORY:TAG`, or NULL: what its name says. `options` and `pushed` may be
 * NULL; `pushed` is what was done. Nothing is written to the store.
 *
 * As mkeep_store_pull; MKEEP_STATUS_FILE_NOT_FOUND where a blob is missing,
 * MKEEP_STATUS_INVALID_ARGUMENT where the model's name says no registry that takes models this way.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_push(const mkeep_store *store,
                              const char *name,
                              const char *to,
                              const mkeep_push_options *options,
                              mkeep_pushed **pushed,
                              mkeep_error **error);

/**
 * Lists what a registry has: of `REGISTRY/REPOSITORY` the tags, and of `REGISTRY` alone, where it
 * lets that be seen, the repositories. `options` may be NULL.
 *
 * As mkeep_store_pull.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_ls_remote(const char *what,
                             const mkeep_ls_remote_options *options,
                             mkeep_remote_list **list,
                             mkeep_error **error);

/**
 * Gets what the pull did; false for NULL.
 *
 * Threads: any, at any time.
 */
bool mkeep_pulled_get(const mkeep_pulled *pulled, mkeep_pulled_facts *facts);

/**
 * Makes the JSON of the result.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_pulled_json(const mkeep_pulled *pulled,
                               mkeep_string **json,
                               mkeep_error **error);

/**
 * Frees the result of a pull.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_pulled_free(mkeep_pulled *pulled);

/**
 * Gets what the push did; false for NULL.
 *
 * Threads: any, at any time.
 */
bool mkeep_pushed_get(const mkeep_pushed *pushed, mkeep_pushed_facts *facts);

/**
 * Makes the JSON of the result.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_pushed_json(const mkeep_pushed *pushed,
                               mkeep_string **json,
                               mkeep_error **error);

/**
 * Frees the result of a push.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_pushed_free(mkeep_pushed *pushed);

/**
 * Gets a name, of all that are sorted, as mkeep_store_pull takes it; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_remote_list_get(const mkeep_remote_list *list, size_t index, mkeep_str *name);

/**
 * Makes the JSON of the names.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_remote_list_json(const mkeep_remote_list *list,
                                    mkeep_string **json,
                                    mkeep_error **error);

/**
 * Frees what a registry has.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_remote_list_free(mkeep_remote_list *list);

/** @} */

/**
 * @defgroup links Links
 * Readable names for the files of a model, for other programs.
 * @{
 */

/**
 * How a link shows a blob.
 */
typedef enum {
  /**
   * The first of the following that the file system can.
   */
  MKEEP_LINK_MODE_AUTO = 0,
  /**
   * A file of its own that shares the blocks until one of the two is written to.
   */
  MKEEP_LINK_MODE_REFLINK = 1,
  /**
   * The same file under a second name: who writes to it destroys the blob.
   */
  MKEEP_LINK_MODE_HARD_LINK = 2,
  /**
   * The path of the blob.
   */
  MKEEP_LINK_MODE_SYMLINK = 3,
} mkeep_link_mode;

/**
 * What a link shows now.
 */
typedef enum {
  /**
   * What the model holds.
   */
  MKEEP_LINK_STATE_CURRENT = 0,
  /**
   * Other bytes than the model holds now, as after a pull.
   */
  MKEEP_LINK_STATE_OUTDATED = 1,
  /**
   * Something else: another program wrote to it, or put another file in its place.
   */
  MKEEP_LINK_STATE_CHANGED = 2,
  /**
   * Nothing: a symbolic link that leads nowhere.
   */
  MKEEP_LINK_STATE_DANGLING = 3,
  /**
   * Nothing: there is no such file.
   */
  MKEEP_LINK_STATE_MISSING = 4,
  /**
   * What it showed from the beginning, of a model that is not stored any more.
   */
  MKEEP_LINK_STATE_ORPHANED = 5,
  /**
   * What it shows, or what the model holds, cannot be looked at.
   */
  MKEEP_LINK_STATE_UNREADABLE = 6,
  /**
   * A file that is no link of this store.
   */
  MKEEP_LINK_STATE_FOREIGN = 7,
} mkeep_link_state;

/**
 * What a check of links found.
 */
typedef struct mkeep_link_report mkeep_link_report;

/**
 * The links of a model.
 */
typedef struct mkeep_linked mkeep_linked;

/**
 * How links are made.
 */
typedef struct {
  /**
   * `sizeof(mkeep_link_options)`.
   */
  size_t size;
  /**
   * How the links show the blobs: an mkeep_link_mode.
   */
  uint32_t mode;
  /**
   * Whether they are laid out as LM Studio has them: `publisher/model/file.gguf`.
   */
  uint8_t lm_studio;
  /**
   * Whether files are replaced that are no links of this model.
   */
  uint8_t replace;
  /**
   * Whether the call only says which links it would make.
   */
  uint8_t dry_run;
  /**
   * Zero.
   */
  uint8_t reserved;
} mkeep_link_options;

/**
 * A link.
 */
typedef struct {
  /**
   * `sizeof(mkeep_link)`.
   */
  size_t size;
  /**
   * Where it is.
   */
  mkeep_str path;
  /**
   * The digest of the blob that it shows.
   */
  mkeep_str digest;
  /**
   * The size of that in bytes.
   */
  uint64_t file_size;
  /**
   * How it shows it; of a dry run that would make it, how it is to be made.
   */
  mkeep_link_mode mode;
  /**
   * Whether something was replaced.
   */
  bool is_replacement;
  /**
   * Whether it was there already, and stays as it is.
   */
  bool is_unchanged;
  /**
   * Zero.
   */
  uint16_t reserved;
} mkeep_link;

/**
 * A link, and what it shows now.
 */
typedef struct {
  /**
   * `sizeof(mkeep_checked_link)`.
   */
  size_t size;
  /**
   * Where it is.
   */
  mkeep_str path;
  /**
   * The model; empty where it is not known.
   */
  mkeep_str name;
  /**
   * The digest of the blob that it shows, or showed; empty where it is not known.
   */
  mkeep_str digest;
  /**
   * What it shows now, in words.
   */
  mkeep_str what;
  /**
   * What to do; empty where nothing needs to be done.
   */
  mkeep_str advice;
  /**
   * What it shows now.
   */
  mkeep_link_state state;
  /**
   * How it shows it; MKEEP_LINK_MODE_AUTO where it is not known.
   */
  mkeep_link_mode mode;
} mkeep_checked_link;

/**
 * Gives the GGUF files of a model readable names for other programs: the weights, each part of
 * split weights, and the projectors. Never copies. `to` is a directory, which is made where it is
 * missing, or the path of one file that ends in `.gguf`. Replaces nothing but older links of the
 * same model, unless the options say otherwise. `options` and `linked` may be NULL.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_FILE_NOT_FOUND and
 * MKEEP_STATUS_CORRUPT for what is to be linked, MKEEP_STATUS_ALREADY_EXISTS where something else is
 * in the place of a link, MKEEP_STATUS_INVALID_ARGUMENT for a place inside of a store.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_link(const mkeep_store *store,
                              const char *name,
                              const char *to,
                              const mkeep_link_options *options,
                              mkeep_linked **linked,
                              mkeep_error **error);

/**
 * Says which links still show what their models hold now: those at these paths and below these
 * directories, or without paths all that the store remembers. `paths` may be NULL where `count` is 0.
 *
 * MKEEP_STATUS_FILE_NOT_FOUND for a path at which nothing is and of which nothing is remembered.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_check_links(const mkeep_store *store,
                                     const char *const *paths,
                                     size_t count,
                                     mkeep_link_report **report,
                                     mkeep_error **error);

/**
 * Forgets the links at these paths and below these directories; the files stay.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_forget_links(const mkeep_store *store,
                                      const char *const *paths,
                                      size_t count,
                                      mkeep_error **error);

/**
 * Gets a link, those of the weights first and then those of projectors; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_linked_get(const mkeep_linked *linked, size_t index, mkeep_link *link);

/**
 * Gets the kind of another GGUF file of the model, which has no link; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_linked_left_out(const mkeep_linked *linked, size_t index, mkeep_str *kind);

/**
 * Returns why the store does not remember the links; empty where it does.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_linked_not_remembered(const mkeep_linked *linked);

/**
 * Makes the JSON of the result.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_linked_json(const mkeep_linked *linked,
                               mkeep_string **json,
                               mkeep_error **error);

/**
 * Frees the links of a model.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_linked_free(mkeep_linked *linked);

/**
 * Returns whether every link shows what its model holds.
 *
 * Threads: any, at any time.
 */
bool mkeep_link_report_is_ok(const mkeep_link_report *report);

/**
 * Gets a link that was checked, by path; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_link_report_get(const mkeep_link_report *report, size_t index, mkeep_checked_link *link);

/**
 * Makes the JSON of the report.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_link_report_json(const mkeep_link_report *report,
                                    mkeep_string **json,
                                    mkeep_error **error);

/**
 * Frees a report of links.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_link_report_free(mkeep_link_report *report);

/** @} */

/**
 * @defgroup blobs Blobs
 * Single files by their digest.
 * @{
 */

/**
 * Finds where the blob of a digest is, or would be. `digest` is as in `sha256:...`.
 *
 * MKEEP_STATUS_INVALID_DIGEST.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_blob_path(const mkeep_store *store,
                                   const char *digest,
                                   mkeep_string **path,
                                   mkeep_error **error);

/**
 * Tells whether the blob of a digest is there.
 *
 * MKEEP_STATUS_INVALID_DIGEST.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_has_blob(const mkeep_store *store,
                                  const char *digest,
                                  bool *found,
                                  mkeep_error **error);

/**
 * Adds a blob from a stream, and puts it in its place when it is whole; a damaged one of that name
 * is healed. `expected` may be NULL; `digest`, which may be NULL, is what the bytes have.
 *
 * `read` is called on the calling thread until it returns 0.
 *
 * MKEEP_STATUS_CORRUPT where the bytes have another digest than `expected`,
 * MKEEP_STATUS_INVALID_DIGEST.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_add_blob(const mkeep_store *store,
                                  mkeep_read read,
                                  void *user,
                                  const char *expected,
                                  mkeep_string **digest,
                                  mkeep_error **error);

/** @} */

/**
 * @defgroup verifying Verifying and repairing
 * Every blob is compared with its digest, and what is damaged moves aside.
 * @{
 */

/**
 * The state of a blob.
 */
typedef enum {
  /**
   * Its bytes have the digest that names it.
   */
  MKEEP_BLOB_STATUS_OK = 0,
  /**
   * No file is there.
   */
  MKEEP_BLOB_STATUS_MISSING = 1,
  /**
   * The file has another size than a manifest says.
   */
  MKEEP_BLOB_STATUS_WRONG_SIZE = 2,
  /**
   * The file's bytes have another digest.
   */
  MKEEP_BLOB_STATUS_WRONG_DIGEST = 3,
  /**
   * The file cannot be read.
   */
  MKEEP_BLOB_STATUS_UNREADABLE = 4,
} mkeep_blob_status;

/**
 * What a repair moved.
 */
typedef struct mkeep_repaired mkeep_repaired;

/**
 * What a verification found.
 */
typedef struct mkeep_report mkeep_report;

/**
 * How to repair.
 */
typedef struct {
  /**
   * `sizeof(mkeep_repair_options)`.
   */
  size_t size;
  /**
   * Tells how far it is, or NULL. What was moved when it cancels stays moved.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_repair_options;

/**
 * A blob that was moved.
 */
typedef struct {
  /**
   * `sizeof(mkeep_moved_blob)`.
   */
  size_t size;
  /**
   * The digest by which it is known, as in `sha256:...`.
   */
  mkeep_str digest;
  /**
   * Where its bytes are now.
   */
  mkeep_str path;
} mkeep_moved_blob;

/**
 * One blob of a report.
 */
typedef struct {
  /**
   * `sizeof(mkeep_finding)`.
   */
  size_t size;
  /**
   * What is wrong with it.
   */
  mkeep_blob_status status;
  /**
   * Whether its bytes have the digest: then a wrong size is the manifest's error.
   */
  bool is_intact;
  /**
   * The digest that names it, as in `sha256:...`.
   */
  mkeep_str digest;
  /**
   * Where it is, or should be.
   */
  mkeep_str path;
  /**
   * The reason in words; empty where nothing is wrong.
   */
  mkeep_str detail;
  /**
   * How many models use it.
   */
  size_t n_models;
  /**
   * Its size on disk in bytes; 0 where it is missing.
   */
  uint64_t n_bytes;
} mkeep_finding;

/**
 * A model that lacks something.
 */
typedef struct {
  /**
   * `sizeof(mkeep_broken_model)`.
   */
  size_t size;
  /**
   * The model.
   */
  mkeep_str name;
  /**
   * What it lacks, a line for each layer.
   */
  mkeep_str reasons;
} mkeep_broken_model;

/**
 * How to verify.
 */
typedef struct {
  /**
   * `sizeof(mkeep_verify_options)`.
   */
  size_t size;
  /**
   * Whether GGUF files are read strictly, too.
   */
  uint8_t gguf;
  /**
   * Whether blobs are taken for good that an earlier run found good and nothing touched since,
   * and what this run finds good is noted in the store's verification cache for later ones. What
   * cannot be noted, in a read-only store for one, is not. A write through a shared mapping may
   * not move the times by which a touch is told.
   */
  uint8_t use_cache;
  /**
   * Tells how far it is, or NULL.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_verify_options;

/**
 * Moves the damaged blobs of a report of the same store into quarantine, so that a pull or an
 * import can put the right ones in their place, and gives misnamed blobs their names. Nothing is
 * deleted. `options` may be NULL.
 *
 * MKEEP_STATUS_CANCELLED, MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_repair(const mkeep_store *store,
                                const mkeep_report *report,
                                const mkeep_repair_options *options,
                                mkeep_repaired **repaired,
                                mkeep_error **error);

/**
 * Gets a damaged blob and where it is now; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_repaired_quarantined(const mkeep_repaired *repaired,
                                size_t index,
                                mkeep_moved_blob *blob);

/**
 * Gets a blob that was there under another name, and its path now; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_repaired_renamed(const mkeep_repaired *repaired, size_t index, mkeep_moved_blob *blob);

/**
 * Gets the digest of a blob that has changed since it was verified, and was left alone: verify
 * again. False beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_repaired_changed(const mkeep_repaired *repaired, size_t index, mkeep_str *digest);

/**
 * Gets the digest of a blob in use that an interrupted removal had left in the trash, and which was
 * put back; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_repaired_restored(const mkeep_repaired *repaired, size_t index, mkeep_str *digest);

/**
 * Makes the JSON of the result.
 *
 * MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_repaired_json(const mkeep_repaired *repaired,
                                 mkeep_string **json,
                                 mkeep_error **error);

/**
 * Frees the result of a repair.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_repaired_free(mkeep_repaired *repaired);

/**
 * Returns whether nothing is wrong.
 *
 * Threads: any, at any time.
 */
bool mkeep_report_is_ok(const mkeep_report *report);

/**
 * Returns how many blobs were verified.
 *
 * Threads: any, at any time.
 */
size_t mkeep_report_count(const mkeep_report *report);

/**
 * Returns how many bytes were hashed.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_report_hashed_bytes(const mkeep_report *report);

/**
 * Returns how many bytes the verification cache had as good, so that they were not hashed.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_report_cached_bytes(const mkeep_report *report);

/**
 * Returns how many blobs the verification cache had as good, so that they were not hashed.
 *
 * Threads: any, at any time.
 */
size_t mkeep_report_cached_blobs(const mkeep_report *report);

/**
 * Returns why the verification cache could not be written; empty where it was, and where that was
 * not asked. The next run that uses it hashes these blobs again.
 *
 * Threads: any, at any time.
 */
mkeep_str mkeep_report_cache_error(const mkeep_report *report);

/**
 * Gets a blob, in the order of digests; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_report_get(const mkeep_report *report, size_t index, mkeep_finding *finding);

/**
 * Gets the name of the model at `nth` of those that use the blob at `index`; false beyond the
 * last.
 *
 * Threads: any, at any time.
 */
bool mkeep_report_model(const mkeep_report *report, size_t index, size_t nth, mkeep_str *name);

/**
 * Gets why the strict reader refuses the GGUF file at `index` of the blobs; false where it does
 * not, and where it was not asked.
 *
 * Threads: any, at any time.
 */
bool mkeep_report_parse_error(const mkeep_report *report,
                              size_t index,
                              mkeep_parse_error *parse_error);

/**
 * Gets why only strict readers refuse the GGUF file at `index` of the blobs: a tensor type or a number
 * of dimensions that they do not support. Nothing is wrong with the file. False where they do not,
 * and where that was not asked.
 *
 * Threads: any, at any time.
 */
bool mkeep_report_unsupported(const mkeep_report *report,
                              size_t index,
                              mkeep_parse_error *reason);

/**
 * Gets the warning at `nth` of those about the GGUF file at `index` of the blobs; false beyond the
 * last, and where that was not asked.
 *
 * Threads: any, at any time.
 */
bool mkeep_report_warning(const mkeep_report *report,
                          size_t index,
                          size_t nth,
                          mkeep_warning *warning);

/**
 * Gets a model that lacks something, in the order of names; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_report_broken_model(const mkeep_report *report, size_t index, mkeep_broken_model *model);

/**
 * Gets a manifest that could not be read; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_report_problem(const mkeep_report *report, size_t index, mkeep_problem *problem);

/**
 * Makes the JSON of the report.
 *
 * MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_report_json(const mkeep_report *report,
                               mkeep_string **json,
                               mkeep_error **error);

/**
 * Frees a report.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_report_free(mkeep_report *report);

/**
 * Compares every blob of the store with its digest, or, where `count` is not 0, those of the named
 * models. `options` may be NULL. What is wrong with a blob is a finding of the report, not an
 * error.
 *
 * MKEEP_STATUS_NOT_FOUND and MKEEP_STATUS_INVALID_NAME for a named model, MKEEP_STATUS_CORRUPT for
 * its manifest, MKEEP_STATUS_CANCELLED, MKEEP_STATUS_INVALID_ARGUMENT for options of a later
 * release.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_verify(const mkeep_store *store,
                                const char *const *names,
                                size_t count,
                                const mkeep_verify_options *options,
                                mkeep_report **report,
                                mkeep_error **error);

/** @} */

/**
 * @defgroup cleaning Collecting garbage
 * Blobs that no model uses, and what Ollama does when it starts.
 * @{
 */

/**
 * What a garbage collection removed, or would remove.
 */
typedef struct mkeep_collected mkeep_collected;

/**
 * What maintenance did.
 */
typedef struct mkeep_maintained mkeep_maintained;

/**
 * What to collect.
 */
typedef struct {
  /**
   * `sizeof(mkeep_gc_options)`.
   */
  size_t size;
  /**
   * Seconds for which a file must not have changed; 0 is an hour.
   */
  uint64_t grace;
  /**
   * Whether there is no such time: what a server is just about to use goes, too.
   */
  uint8_t no_grace;
  /**
   * Whether nothing is changed, and the result is what would be removed.
   */
  uint8_t dry_run;
  /**
   * Whether the leftovers of interrupted downloads go as well.
   */
  uint8_t partials;
  /**
   * Whether the damaged blobs go as well that a repair has moved into quarantine.
   */
  uint8_t quarantine;
  /**
   * Whether a store without any model is meant to lose every blob.
   */
  uint8_t all;
  /**
   * Tells how far it is, or NULL. Where it cancels, what is in use is where it was.
   */
  mkeep_progress progress;
  /**
   * What `progress` gets as `user`.
   */
  void *user;
} mkeep_gc_options;

/**
 * Removes blobs that no model uses and that nobody has changed for the grace period. `options` may
 * be NULL.
 *
 * MKEEP_STATUS_CORRUPT while a manifest cannot be read: nobody knows what it uses.
 * MKEEP_STATUS_INVALID_ARGUMENT for a store with blobs and no model at all, without `all`, and for
 * options of a later release; MKEEP_STATUS_CANCELLED.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_gc(const mkeep_store *store,
                            const mkeep_gc_options *options,
                            mkeep_collected **collected,
                            mkeep_error **error);

/**
 * Returns whether nothing was changed.
 *
 * Threads: any, at any time.
 */
bool mkeep_collected_is_dry_run(const mkeep_collected *collected);

/**
 * Returns the bytes on the disk that became free, or would.
 *
 * Threads: any, at any time.
 */
uint64_t mkeep_collected_bytes(const mkeep_collected *collected);

/**
 * Returns how many unused blobs and leftovers are still within the grace period.
 *
 * Threads: any, at any time.
 */
size_t mkeep_collected_young(const mkeep_collected *collected);

/**
 * Gets the digest of a blob that no model uses; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_collected_blob(const mkeep_collected *collected, size_t index, mkeep_str *digest);

/**
 * Gets the path of a leftover of an interrupted download, or of what else was no blob; false
 * beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_collected_partial(const mkeep_collected *collected, size_t index, mkeep_str *path);

/**
 * Gets the path of a file of this library's own: what an interrupted import staged, or a repair
 * moved into quarantine; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_collected_leftover(const mkeep_collected *collected, size_t index, mkeep_str *path);

/**
 * Gets the digest of a blob that was put back, because somebody began to use it while it was being
 * removed; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_collected_restored(const mkeep_collected *collected, size_t index, mkeep_str *digest);

/**
 * Gets a reason why blobs were kept, in words: a manifest became unreadable meanwhile, or another
 * program has one open; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_collected_kept(const mkeep_collected *collected, size_t index, mkeep_str *reason);

/**
 * Makes the JSON of the result.
 *
 * MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_collected_json(const mkeep_collected *collected,
                                  mkeep_string **json,
                                  mkeep_error **error);

/**
 * Frees the result of a garbage collection.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_collected_free(mkeep_collected *collected);

/**
 * Gives blobs their present names, and collects garbage as mkeep_store_gc does; leftovers of
 * downloads and unknown files among the blobs go as well, as they do when Ollama starts. `options`
 * may be NULL.
 *
 * As mkeep_store_gc. A dry run changes nothing, and the result is what would be renamed and
 * collected.
 *
 * Threads: any, at any time; `progress` is called on the calling one.
 */
mkeep_status mkeep_store_maintain(const mkeep_store *store,
                                  const mkeep_gc_options *options,
                                  mkeep_maintained **maintained,
                                  mkeep_error **error);

/**
 * Gives blobs their present names, and does nothing else. Where both names exist, each stays what it
 * is. `maintained`, which may be NULL, is what was renamed.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_rename_old_blobs(const mkeep_store *store,
                                          mkeep_maintained **maintained,
                                          mkeep_error **error);

/**
 * Gets the path of a blob that had an old name, under its new one; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_maintained_renamed(const mkeep_maintained *maintained, size_t index, mkeep_str *path);

/**
 * Borrows what was collected: it lives as long as `maintained`, and is not freed. NULL for NULL.
 *
 * Threads: any, at any time.
 */
const mkeep_collected *mkeep_maintained_collected(const mkeep_maintained *maintained);

/**
 * Makes the JSON of the result.
 *
 * MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_maintained_json(const mkeep_maintained *maintained,
                                   mkeep_string **json,
                                   mkeep_error **error);

/**
 * Frees the result of maintenance.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_maintained_free(mkeep_maintained *maintained);

/** @} */

/**
 * @defgroup usage Disk usage
 * What the disk holds, and for which models.
 * @{
 */

/**
 * The disk usage of a store.
 */
typedef struct mkeep_usage mkeep_usage;

/**
 * Some files together.
 */
typedef struct {
  /**
   * How many.
   */
  size_t n_files;
  /**
   * Their bytes on the disk.
   */
  uint64_t n_bytes;
} mkeep_files;

/**
 * The sums of a disk usage. Bytes are real blocks on the disk; each digest counts once.
 */
typedef struct {
  /**
   * `sizeof(mkeep_totals)`.
   */
  size_t size;
  /**
   * The bytes of all blobs that models use.
   */
  uint64_t used;
  /**
   * Blobs that no model uses.
   */
  mkeep_files orphans;
  /**
   * Leftovers of interrupted downloads.
   */
  mkeep_files partials;
  /**
   * Unknown files among the blobs.
   */
  mkeep_files unknown;
  /**
   * Files of this library's own that are being written, or that interrupted runs left.
   */
  mkeep_files staged;
  /**
   * Blobs in the trash of an interrupted removal.
   */
  mkeep_files trash;
  /**
   * Damaged blobs that a repair has moved into quarantine.
   */
  mkeep_files quarantine;
  /**
   * Everything else below the store's directory, its manifests included.
   */
  mkeep_files other;
  /**
   * All of these bytes together.
   */
  uint64_t total;
  /**
   * Those of these bytes that stay on the disk whatever is removed here, because the files have
   * other names elsewhere.
   */
  uint64_t held_outside;
} mkeep_totals;

/**
 * The disk usage of one model.
 */
typedef struct {
  /**
   * `sizeof(mkeep_model_usage)`.
   */
  size_t size;
  /**
   * The model.
   */
  mkeep_str name;
  /**
   * How many of its blobs are missing.
   */
  size_t n_missing;
  /**
   * The bytes that it alone holds: what deleting it frees.
   */
  uint64_t exclusive;
  /**
   * The bytes that it shares with other models.
   */
  uint64_t shared;
} mkeep_model_usage;

/**
 * Measures the disk: everything below the store's directory. Reads every manifest once and
 * inspects every file.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_usage(const mkeep_store *store, mkeep_usage **usage, mkeep_error **error);

/**
 * Gets the sums; false for NULL.
 *
 * Threads: any, at any time.
 */
bool mkeep_usage_totals(const mkeep_usage *usage, mkeep_totals *sums);

/**
 * Gets the disk usage of a model, in the order of names; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_usage_model(const mkeep_usage *usage, size_t index, mkeep_model_usage *model);

/**
 * Gets what could not be read: what it uses counts as orphaned. False beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_usage_problem(const mkeep_usage *usage, size_t index, mkeep_problem *problem);

/**
 * Makes the JSON of the result.
 *
 * MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_usage_json(const mkeep_usage *usage, mkeep_string **json, mkeep_error **error);

/**
 * Frees a disk usage.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_usage_free(mkeep_usage *usage);

/** @} */

/**
 * @defgroup diagnosis Diagnosis
 * What is wrong with a store, and what to do.
 * @{
 */

/**
 * What is in a place where a store may be. More may come.
 */
typedef enum {
  /**
   * Something else than the others.
   */
  MKEEP_LOCATION_STATE_UNKNOWN = 0,
  /**
   * A store: a directory with `manifests` or `blobs`.
   */
  MKEEP_LOCATION_STATE_STORE = 1,
  /**
   * A file, or a directory with neither `manifests` nor `blobs`.
   */
  MKEEP_LOCATION_STATE_NO_STORE = 2,
  /**
   * Nothing.
   */
  MKEEP_LOCATION_STATE_MISSING = 3,
  /**
   * A link, or a path through one, that leads nowhere.
   */
  MKEEP_LOCATION_STATE_DANGLING = 4,
  /**
   * A directory that this user may not look into.
   */
  MKEEP_LOCATION_STATE_CLOSED = 5,
} mkeep_location_state;

/**
 * What is wrong with a store.
 */
typedef struct mkeep_diagnosis mkeep_diagnosis;

/**
 * A place where a store may be.
 */
typedef struct {
  /**
   * `sizeof(mkeep_location)`.
   */
  size_t size;
  /**
   * What is there: an mkeep_location_state.
   */
  uint32_t state;
  /**
   * Whether it exists.
   */
  bool exists;
  /**
   * Whether it is the store that was opened.
   */
  bool is_opened;
  /**
   * The directory.
   */
  mkeep_str path;
  /**
   * Why no models can be seen there, and what to do, in words; empty where some can.
   */
  mkeep_str message;
  /**
   * How many manifests are in it.
   */
  size_t n_manifests;
} mkeep_location;

/**
 * Something that is wrong, or worth knowing.
 */
typedef struct {
  /**
   * `sizeof(mkeep_issue)`.
   */
  size_t size;
  /**
   * The file or directory.
   */
  mkeep_str path;
  /**
   * The model, where the path is a model's; otherwise empty.
   */
  mkeep_str name;
  /**
   * What is wrong.
   */
  mkeep_str message;
  /**
   * What to do.
   */
  mkeep_str advice;
} mkeep_issue;

/**
 * Looks for everything that makes a model invisible or broken. Opens each manifest, config and
 * template once; hashes nothing.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_doctor(const mkeep_store *store,
                                mkeep_diagnosis **diagnosis,
                                mkeep_error **error);

/**
 * Diagnoses the store that mkeep_store_open would open, as mkeep_store_doctor does. One that
 * cannot be opened is a diagnosis, too: why, and the places where there are models. `options` may
 * be NULL.
 *
 * MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_diagnose(const mkeep_store_options *options,
                                  mkeep_diagnosis **diagnosis,
                                  mkeep_error **error);

/**
 * Returns whether nothing is wrong.
 *
 * Threads: any, at any time.
 */
bool mkeep_diagnosis_is_ok(const mkeep_diagnosis *diagnosis);

/**
 * Returns how many blobs the models use.
 *
 * Threads: any, at any time.
 */
size_t mkeep_diagnosis_blobs(const mkeep_diagnosis *diagnosis);

/**
 * Returns how many of them the verification cache has as good, untouched since.
 *
 * Threads: any, at any time.
 */
size_t mkeep_diagnosis_verified(const mkeep_diagnosis *diagnosis);

/**
 * Gets a place where a store may be, the opened one first; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_diagnosis_location(const mkeep_diagnosis *diagnosis,
                              size_t index,
                              mkeep_location *location);

/**
 * Gets what is wrong, in the order of paths; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_diagnosis_issue(const mkeep_diagnosis *diagnosis, size_t index, mkeep_issue *issue);

/**
 * Gets what is not wrong, and worth knowing: what can be reclaimed, aliases, unknown files that
 * harm nobody; false beyond the last.
 *
 * Threads: any, at any time.
 */
bool mkeep_diagnosis_note(const mkeep_diagnosis *diagnosis, size_t index, mkeep_issue *note);

/**
 * Makes the JSON of the result.
 *
 * MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_diagnosis_json(const mkeep_diagnosis *diagnosis,
                                  mkeep_string **json,
                                  mkeep_error **error);

/**
 * Frees a diagnosis.
 *
 * Threads: any, as the last use of the handle.
 */
void mkeep_diagnosis_free(mkeep_diagnosis *diagnosis);

/** @} */

/**
 * @defgroup api The HTTP API
 * Requests of Ollama's clients, handled in process.
 * @{
 */

/**
 * An endpoint of the published API.
 */
typedef enum {
  /**
   * GET /api/tags; takes no body.
   */
  MKEEP_ENDPOINT_TAGS = 0,
  /**
   * POST /api/show.
   */
  MKEEP_ENDPOINT_SHOW = 1,
  /**
   * POST /api/copy.
   */
  MKEEP_ENDPOINT_COPY = 2,
  /**
   * DELETE /api/delete.
   */
  MKEEP_ENDPOINT_DELETE = 3,
  /**
   * GET /api/version; takes no body.
   */
  MKEEP_ENDPOINT_VERSION = 4,
  /**
   * GET /api/ps; takes no body. No model runs here.
   */
  MKEEP_ENDPOINT_PS = 5,
  /**
   * GET /v1/models; takes no body.
   */
  MKEEP_ENDPOINT_MODELS = 6,
  /**
   * GET /v1/models/NAME; takes the name as its body.
   */
  MKEEP_ENDPOINT_MODEL = 7,
} mkeep_endpoint;

/**
 * Handles a request to an endpoint, given its body: the results are the HTTP status and the body
 * of the response, which may be empty. `endpoint` is an mkeep_endpoint. With it, any host that
 * speaks HTTP serves the API.
 *
 * A refusal is a response, too; the status of this function fails only for its own arguments.
 *
 * Threads: any, at any time.
 */
mkeep_status mkeep_store_handle_request(const mkeep_store *store,
                                        uint32_t endpoint,
                                        const uint8_t *body,
                                        size_t len,
                                        uint16_t *http_status,
                                        mkeep_string **response,
                                        mkeep_error **error);

/** @} */

#ifdef __cplusplus
}
#endif

#endif  /* MODELKEEP_H */
