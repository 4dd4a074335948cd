/* modelkeep: the model store that Ollama writes to disk, as a library.
 *
 * Generated from bindings/c; do not edit.
 *
 * Conventions. Every call that can fail answers an mkeep_status; results come out of the last
 * parameters, which are written only when it is MKEEP_STATUS_OK. `error` may be NULL; otherwise a
 * call that fails puts an object there, which mkeep_error_free ends. Texts that go in are UTF-8 and
 * end with a NUL, paths are the bytes that the system has; those that come out are mkeep_str and
 * live as long as the handle they came from.
 * Every handle is ended by the function _free of its name, which takes NULL as well.
 *
 * Statuses. Every call that can fail may answer MKEEP_STATUS_IO, _NULL_ARGUMENT, _INVALID_UTF8 and
 * _PANIC; those that change a store also _BUSY, and _INVALID_ARGUMENT where it is read-only. What
 * else a call may answer is said with it. A failed call leaves the store as it was, unless it says
 * otherwise. Functions that cannot fail answer NULL with nothing: 0, false, an empty text.
 *
 * Threads. Any handle may be used from many threads at once, and every function called while any
 * other runs; only _free must be the last use of its handle. Handles that came out of another one
 * outlive it. After a fork the child may go on with the handles that it has, unless the parent was
 * inside a call then.
 *
 * Linking. Shared: -lmodelkeep. Static: libmodelkeep.a -lpthread -lm -ldl.
 */

#ifndef MODELKEEP_H
#define MODELKEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The number of the interface that this header describes.
 */
#define MKEEP_ABI_VERSION 0

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
   * A text is no model's name.
   */
  MKEEP_STATUS_INVALID_NAME = 2,
  /**
   * A text is no digest.
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
   * What the disk holds is not what its name or its neighbours promise.
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
   * Another process holds the lock.
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
   * A fault of the library itself, which it survived.
   */
  MKEEP_STATUS_PANIC = 100,
  /**
   * A pointer is NULL that must not be.
   */
  MKEEP_STATUS_NULL_ARGUMENT = 101,
  /**
   * A text is not UTF-8.
   */
  MKEEP_STATUS_INVALID_UTF8 = 102,
} mkeep_status;

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
 * A call of the published API.
 */
typedef enum {
  /**
   * GET /api/tags; takes no body.
   */
  MKEEP_CALL_TAGS = 0,
  /**
   * POST /api/show.
   */
  MKEEP_CALL_SHOW = 1,
  /**
   * POST /api/copy.
   */
  MKEEP_CALL_COPY = 2,
  /**
   * DELETE /api/delete.
   */
  MKEEP_CALL_DELETE = 3,
} mkeep_call;

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
   * A truth.
   */
  MKEEP_VALUE_TYPE_BOOL = 7,
  /**
   * A text.
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
 * What went wrong.
 */
typedef struct mkeep_error mkeep_error;

/**
 * A GGUF file that is open. Counted: what is borrowed lives until the last holder ends it.
 */
typedef struct mkeep_gguf mkeep_gguf;

/**
 * All models of a store at one moment, newest first.
 */
typedef struct mkeep_list mkeep_list;

/**
 * One model: a snapshot of its manifest. What is stored under its name may change meanwhile; the
 * snapshot does not.
 */
typedef struct mkeep_model mkeep_model;

/**
 * The parts of a split model, open and in order. A file that is whole is a model of one part.
 */
typedef struct mkeep_parts mkeep_parts;

/**
 * What a verification found.
 */
typedef struct mkeep_report mkeep_report;

/**
 * A models directory, opened.
 */
typedef struct mkeep_store mkeep_store;

/**
 * A text that belongs to the caller.
 */
typedef struct mkeep_text mkeep_text;

/**
 * Fills `buffer` with at most `len` bytes, and answers how many: 0 at the end, less than 0 where
 * they cannot be read. `user` is what the caller gave.
 */
typedef ptrdiff_t (*mkeep_read)(void *user, uint8_t *buffer, size_t len);

/**
 * A text that belongs to somebody else.
 */
typedef struct {
  /**
   * The bytes. A NUL follows them, except after texts of a GGUF file; those may hold one, too.
   */
  const char *ptr;
  /**
   * How many they are, without the NUL.
   */
  size_t len;
} mkeep_str;

/**
 * Something unusual in a file that can be read.
 */
typedef struct {
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
 * An array of metadata.
 */
typedef struct {
  /**
   * The type of its elements: an mkeep_value_type.
   */
  uint32_t element;
  /**
   * Whether its numbers are big-endian.
   */
  bool big_endian;
  /**
   * How many elements.
   */
  uint64_t count;
  /**
   * The elements as they lie in the file, not aligned: numbers one after the other, or texts
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
   * The number, for the types without a sign; 0 or 1 for a truth.
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
   * The text: bytes that are usually UTF-8, without a NUL after them.
   */
  mkeep_str str;
  /**
   * The array.
   */
  mkeep_array array;
} mkeep_value;

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
 * Called on the calling thread before the first byte, then at most 20 times a second, and after
 * the last byte. `user` is what the caller gave. Answering false ends the call with
 * MKEEP_STATUS_CANCELLED. It must return: neither longjmp nor an exception may leave it.
 */
typedef bool (*mkeep_progress)(void *user, uint64_t bytes, uint64_t total_bytes);

/**
 * What a model is made of besides its weights, and how they come into the store. Set all of it to
 * zero, then `size`, then what you want.
 */
typedef struct {
  /**
   * `sizeof(mkeep_import_options)`, by which later releases know what you know.
   */
  size_t size;
  /**
   * An mkeep_copy_mode.
   */
  uint32_t copy_mode;
  /**
   * Whether a model of that name is replaced.
   */
  bool replace;
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
   * The oldest release of the reference that can run the model, or NULL.
   */
  const char *required_release;
  /**
   * The licence texts.
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
   * Called in this thread, about 20 times a second, or NULL. `false` cancels:
   * MKEEP_STATUS_CANCELLED, and nothing is left behind.
   */
  mkeep_progress progress;
  /**
   * What it gets as `user`.
   */
  void *user;
} mkeep_import_options;

/**
 * A model of a list. Its texts live as long as the list.
 */
typedef struct {
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
   * The bytes of all blobs, as the manifest states them.
   */
  int64_t size;
  /**
   * The time of the manifest's last change, in nanoseconds since 1970.
   */
  int64_t modified;
} mkeep_summary;

/**
 * What to collect. Set all of it to zero, then `size`, then what you want.
 */
typedef struct {
  /**
   * `sizeof(mkeep_gc_options)`, by which later releases know what you know.
   */
  size_t size;
  /**
   * Seconds for which a file must not have changed; 3600 is usual.
   */
  uint64_t grace;
  /**
   * Not 0 changes nothing, and says what would be removed.
   */
  uint8_t dry_run;
  /**
   * Not 0 takes the leftovers of interrupted downloads as well.
   */
  uint8_t partials;
  /**
   * Not 0 takes the damaged blobs as well that a repair has set aside.
   */
  uint8_t quarantine;
  /**
   * Not 0 says that a store without any model is meant to lose every blob.
   */
  uint8_t all;
  /**
   * Called in this thread, about 20 times a second, or NULL. `false` cancels:
   * MKEEP_STATUS_CANCELLED, and what is in use is where it was.
   */
  mkeep_progress progress;
  /**
   * What it gets as `user`.
   */
  void *user;
} mkeep_gc_options;

/**
 * A layer of a model, which names a blob. Its texts live as long as the model.
 */
typedef struct {
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
   * Where the blob lies, or should lie; empty where the digest is none.
   */
  mkeep_str path;
  /**
   * Its size in bytes, as the manifest states it.
   */
  int64_t size;
} mkeep_layer;

/**
 * What is wrong with a GGUF file, and where. Its texts live as long as the error.
 */
typedef struct {
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
} mkeep_fault;

/**
 * How to open a store. Set all of it to zero, then `size`, then what you want.
 */
typedef struct {
  /**
   * `sizeof(mkeep_store_options)`, by which later releases know what you know.
   */
  size_t size;
  /**
   * The directory; NULL for OLLAMA_MODELS, or else ~/.ollama/models.
   */
  const char *path;
  /**
   * Whether a missing directory is made.
   */
  bool create;
  /**
   * Whether every change is refused.
   */
  bool read_only;
  /**
   * Whether files are read instead of mapped: for network file systems.
   */
  bool no_mmap;
  /**
   * Whether changes may be lost in a power cut, for speed.
   */
  bool no_sync;
  /**
   * Whether a delete does not wait for a server beside us: only where none writes here.
   */
  bool no_settle;
  /**
   * Whether an import is allowed where the blobs belong to another user, whose server could not
   * use ours again.
   */
  bool foreign_owner;
  /**
   * Threads; 0 is one for each processor.
   */
  uint32_t threads;
} mkeep_store_options;

/**
 * A tensor.
 */
typedef struct {
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
  uint64_t size;
  /**
   * Its data; NULL where the file is not mapped or ends before they do, and where the type is
   * not known.
   */
  const uint8_t *data;
} mkeep_tensor;

/**
 * What to verify, and how. Set all of it to zero, then `size`, then what you want.
 */
typedef struct {
  /**
   * `sizeof(mkeep_verify_options)`, by which later releases know what you know.
   */
  size_t size;
  /**
   * Whether GGUF files are read strictly, too.
   */
  bool gguf;
  /**
   * Whether blobs are taken for good that an earlier run found good and nothing touched since,
   * and what this run finds good is noted in the store for later ones. What cannot be noted, in
   * a read-only store for one, is not. The report's JSON has under `cached` how much it was. A
   * write through a shared mapping may not move the times by which a touch is told.
   */
  bool use_cache;
} mkeep_verify_options;

/**
 * One blob of a report. Its texts live as long as the report.
 */
typedef struct {
  /**
   * What is wrong with it.
   */
  mkeep_blob_status status;
  /**
   * The digest that names it, as in `sha256:...`.
   */
  mkeep_str digest;
  /**
   * Where it lies, or should lie.
   */
  mkeep_str path;
  /**
   * The reason in words; empty where nothing is wrong.
   */
  mkeep_str detail;
  /**
   * Its size on disk in bytes; 0 where it is missing.
   */
  uint64_t size;
  /**
   * Whether its bytes have the digest: then a wrong size is the manifest's fault.
   */
  bool is_intact;
} mkeep_finding;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The number of the library's interface. A program whose header has another one must not use it.
 */
uint32_t mkeep_abi_version(void);

/**
 * The release of the library, as in `0.1.0`.
 */
const char *mkeep_version(void);

/**
 * Where the blob of a digest lies, or would lie. `digest` is as in `sha256:...`.
 *
 * MKEEP_STATUS_INVALID_DIGEST.
 */
mkeep_status mkeep_store_blob_path(const mkeep_store *store,
                                   const char *digest,
                                   mkeep_text **path,
                                   mkeep_error **error);

/**
 * Whether the blob of a digest is there.
 *
 * MKEEP_STATUS_INVALID_DIGEST.
 */
mkeep_status mkeep_store_has_blob(const mkeep_store *store,
                                  const char *digest,
                                  bool *found,
                                  mkeep_error **error);

/**
 * Adds a blob from a stream, and puts it in its place when it is whole; a damaged one of that name
 * is healed. `expected` may be NULL; `digest`, which may be NULL, is what the bytes have.
 *
 * `read` is called on the calling thread until it answers 0.
 *
 * MKEEP_STATUS_CORRUPT where the bytes have another digest than `expected`,
 * MKEEP_STATUS_INVALID_DIGEST.
 */
mkeep_status mkeep_store_add_blob(const mkeep_store *store,
                                  mkeep_read read,
                                  void *user,
                                  const char *expected,
                                  mkeep_text **digest,
                                  mkeep_error **error);

/**
 * Opens a GGUF file: one pass over its head. `lenient` reads on where the format is broken without
 * harm; `no_mmap` reads the head into memory instead of mapping the file.
 *
 * MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED, MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_IO.
 */
mkeep_status mkeep_gguf_open(const char *file,
                             bool lenient,
                             bool no_mmap,
                             mkeep_gguf **gguf,
                             mkeep_error **error);

/**
 * Opens a GGUF file whose data are not all there yet, as in the midst of a download: its metadata
 * and its table of tensors. What is missing is a warning, `data_out_of_bounds`, and the `data` of
 * a tensor that is not whole are NULL.
 *
 * Otherwise as mkeep_gguf_open.
 */
mkeep_status mkeep_gguf_open_header(const char *file,
                                    bool lenient,
                                    bool no_mmap,
                                    mkeep_gguf **gguf,
                                    mkeep_error **error);

/**
 * Opens the GGUF file of a stored model, leniently.
 *
 * As mkeep_store_path and mkeep_gguf_open.
 */
mkeep_status mkeep_store_gguf(const mkeep_store *store,
                              const char *name,
                              mkeep_gguf **gguf,
                              mkeep_error **error);

/**
 * One more holder of the same file, to be ended by mkeep_gguf_free as well; NULL for NULL.
 */
mkeep_gguf *mkeep_gguf_hold(const mkeep_gguf *gguf);

/**
 * Ends a holder of a file.
 */
void mkeep_gguf_free(mkeep_gguf *gguf);

/**
 * The version of the format.
 */
uint32_t mkeep_gguf_version(const mkeep_gguf *gguf);

/**
 * Whether the numbers of the file are big-endian.
 */
bool mkeep_gguf_is_big_endian(const mkeep_gguf *gguf);

/**
 * The size of the file in bytes.
 */
uint64_t mkeep_gguf_size(const mkeep_gguf *gguf);

/**
 * The alignment of the data of tensors, in bytes.
 */
uint64_t mkeep_gguf_alignment(const mkeep_gguf *gguf);

/**
 * Where the data of tensors begin, in bytes; may lie beyond a file that has none.
 */
uint64_t mkeep_gguf_data_offset(const mkeep_gguf *gguf);

/**
 * How many warnings: things that this reader accepts and others may not.
 */
size_t mkeep_gguf_warning_count(const mkeep_gguf *gguf);

/**
 * The warning at a place; false, and nothing written, beyond the last.
 */
bool mkeep_gguf_warning(const mkeep_gguf *gguf, size_t index, mkeep_warning *warning);

/**
 * The sum of the elements of all tensors.
 */
uint64_t mkeep_gguf_parameter_count(const mkeep_gguf *gguf);

/**
 * How many pairs of metadata.
 */
size_t mkeep_gguf_count(const mkeep_gguf *gguf);

/**
 * The pair at a place; false, and nothing written, beyond the last. Costs nothing.
 */
bool mkeep_gguf_get(const mkeep_gguf *gguf, size_t index, mkeep_str *key, mkeep_value *value);

/**
 * The value of a key, of duplicates the last; false, and nothing written, where there is none.
 */
bool mkeep_gguf_find(const mkeep_gguf *gguf, const char *key, mkeep_value *value);

/**
 * The head and the warnings as JSON in which nothing is lost.
 */
mkeep_status mkeep_gguf_json(const mkeep_gguf *gguf, mkeep_text **json, mkeep_error **error);

/**
 * Makes a model of a GGUF file. `options` and `json` may be NULL; `json` is what was done.
 *
 * MKEEP_STATUS_ALREADY_EXISTS where the name is taken and was not to be replaced,
 * MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED,
 * MKEEP_STATUS_NOT_FOUND for a file, MKEEP_STATUS_INVALID_TEMPLATE,
 * MKEEP_STATUS_INVALID_ARGUMENT for the options, and where the blobs belong to another user. Blobs
 * that nothing uses may be left where it fails late.
 */
mkeep_status mkeep_store_import(const mkeep_store *store,
                                const char *file,
                                const char *name,
                                const mkeep_import_options *options,
                                mkeep_text **json,
                                mkeep_error **error);

/**
 * Makes a model as a Modelfile says, from GGUF files or from a model of this store. What the
 * options state wins over the Modelfile, and licences add up; otherwise as mkeep_store_import.
 *
 * As mkeep_store_import; MKEEP_STATUS_INVALID_ARGUMENT, with the line, for what is no Modelfile.
 */
mkeep_status mkeep_store_import_modelfile(const mkeep_store *store,
                                          const char *file,
                                          const char *name,
                                          const mkeep_import_options *options,
                                          mkeep_text **json,
                                          mkeep_error **error);

/**
 * Lists all models. What cannot be read is left out, and named among the problems.
 */
mkeep_status mkeep_store_list(const mkeep_store *store, mkeep_list **list, mkeep_error **error);

/**
 * Lists all models as the body of GET /api/tags.
 */
mkeep_status mkeep_store_list_json(const mkeep_store *store,
                                   mkeep_text **json,
                                   mkeep_error **error);

/**
 * How many models.
 */
size_t mkeep_list_count(const mkeep_list *list);

/**
 * The model at a place; false, and nothing written, beyond the last.
 */
bool mkeep_list_get(const mkeep_list *list, size_t index, mkeep_summary *summary);

/**
 * How many entries were left out.
 */
size_t mkeep_list_problem_count(const mkeep_list *list);

/**
 * Why an entry was left out; empty beyond the last.
 */
mkeep_str mkeep_list_problem(const mkeep_list *list, size_t index);

/**
 * Ends a list.
 */
void mkeep_list_free(mkeep_list *list);

/**
 * What the disk holds, and for whom.
 */
mkeep_status mkeep_store_usage_json(const mkeep_store *store,
                                    mkeep_text **json,
                                    mkeep_error **error);

/**
 * What is wrong with the store, and what to do.
 */
mkeep_status mkeep_store_doctor_json(const mkeep_store *store,
                                     mkeep_text **json,
                                     mkeep_error **error);

/**
 * Removes blobs that no model uses and that nobody has changed for `grace` seconds; 3600 is usual.
 * `partials` takes the leftovers of interrupted downloads as well; `dry_run` changes nothing.
 *
 * MKEEP_STATUS_CORRUPT while a manifest cannot be read: nobody knows what it uses.
 */
mkeep_status mkeep_store_gc_json(const mkeep_store *store,
                                 uint64_t grace,
                                 bool partials,
                                 bool dry_run,
                                 mkeep_text **json,
                                 mkeep_error **error);

/**
 * As mkeep_store_gc_json, with everything that can be said of a collection. `options` may be NULL:
 * then the grace period is an hour.
 *
 * MKEEP_STATUS_INVALID_ARGUMENT for a store with blobs and no model at all, without `all`.
 */
mkeep_status mkeep_store_collect_json(const mkeep_store *store,
                                      const mkeep_gc_options *options,
                                      mkeep_text **json,
                                      mkeep_error **error);

/**
 * Gives blobs their present names, and collects as mkeep_store_gc_json does after an hour; leftovers
 * of downloads and unknown files among the blobs go as well, as they do when Ollama starts.
 */
mkeep_status mkeep_store_maintain_json(const mkeep_store *store,
                                       mkeep_text **json,
                                       mkeep_error **error);

/**
 * Takes a snapshot of a model. Opens one file.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT.
 */
mkeep_status mkeep_store_model(const mkeep_store *store,
                               const char *name,
                               mkeep_model **model,
                               mkeep_error **error);

/**
 * The name under which it is stored, as in `llama3.2:latest`.
 */
mkeep_str mkeep_model_name(const mkeep_model *model);

/**
 * The digest of the manifest as a list has it: 64 hexadecimal digits.
 */
mkeep_str mkeep_model_digest(const mkeep_model *model);

/**
 * The bytes of all blobs, as the manifest states them.
 */
int64_t mkeep_model_size(const mkeep_model *model);

/**
 * The time of the manifest's last change, in nanoseconds since 1970.
 */
int64_t mkeep_model_modified(const mkeep_model *model);

/**
 * How many layers, the config among them.
 */
size_t mkeep_model_layer_count(const mkeep_model *model);

/**
 * The layer at a place, in the order of the manifest, the config last; false, and nothing written,
 * beyond it. Opens nothing.
 */
bool mkeep_model_layer(const mkeep_model *model, size_t index, mkeep_layer *layer);

/**
 * The path of the GGUF file with the weights.
 *
 * MKEEP_STATUS_NOT_FOUND where the model has none, MKEEP_STATUS_FILE_NOT_FOUND where it is missing,
 * MKEEP_STATUS_CORRUPT.
 */
mkeep_status mkeep_model_path(const mkeep_model *model, mkeep_text **path, mkeep_error **error);

/**
 * Opens the GGUF file with the weights, leniently.
 *
 * As mkeep_model_path and mkeep_gguf_open.
 */
mkeep_status mkeep_model_gguf(const mkeep_model *model, mkeep_gguf **gguf, mkeep_error **error);

/**
 * Everything about the model, as mkeep_store_show_json answers it.
 */
mkeep_status mkeep_model_show_json(const mkeep_model *model,
                                   bool verbose,
                                   mkeep_text **json,
                                   mkeep_error **error);

/**
 * Ends a model.
 */
void mkeep_model_free(mkeep_model *model);

/**
 * The status that the call answered.
 */
mkeep_status mkeep_error_status(const mkeep_error *error);

/**
 * What was being done to what, and why it failed: lower case, without a full stop.
 */
mkeep_str mkeep_error_message(const mkeep_error *error);

/**
 * The HTTP status for it, as in 404.
 */
uint16_t mkeep_error_http_status(const mkeep_error *error);

/**
 * The operating system's number for it (`errno`); 0 where there is none.
 */
int32_t mkeep_error_os(const mkeep_error *error);

/**
 * The file or directory that it is about, as the system has it; empty where there is none.
 */
mkeep_str mkeep_error_path(const mkeep_error *error);

/**
 * A stored name that may have been meant, the nearest first, at most three; false, and nothing
 * written, beyond the last one.
 */
bool mkeep_error_suggestion(const mkeep_error *error, size_t index, mkeep_str *name);

/**
 * Where a GGUF file is wrong; false, and nothing written, where that is not what went wrong.
 */
bool mkeep_error_fault(const mkeep_error *error, mkeep_fault *fault);

/**
 * Ends an error.
 */
void mkeep_error_free(mkeep_error *error);

/**
 * Opens a store. `options` may be NULL. Opening makes nothing, unless `create` is set.
 *
 * MKEEP_STATUS_FILE_NOT_FOUND where the directory does not exist, with the well-known places that do in
 * its message; MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
 */
mkeep_status mkeep_store_open(const mkeep_store_options *options,
                              mkeep_store **store,
                              mkeep_error **error);

/**
 * The directory, as it was given.
 */
mkeep_str mkeep_store_root(const mkeep_store *store);

/**
 * Ends a store. Models, lists, reports and files of it live on.
 */
void mkeep_store_free(mkeep_store *store);

/**
 * The path of a model's GGUF file.
 *
 * MKEEP_STATUS_NOT_FOUND where the model is missing, MKEEP_STATUS_FILE_NOT_FOUND where its file is,
 * MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT.
 */
mkeep_status mkeep_store_path(const mkeep_store *store,
                              const char *name,
                              mkeep_text **path,
                              mkeep_error **error);

/**
 * Everything about a model, as the body of POST /api/show. `verbose` prints arrays in full.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT,
 * MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_INVALID_TEMPLATE.
 */
mkeep_status mkeep_store_show_json(const mkeep_store *store,
                                   const char *name,
                                   bool verbose,
                                   mkeep_text **json,
                                   mkeep_error **error);

/**
 * Copies a model: one more name for the same blobs.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME.
 */
mkeep_status mkeep_store_copy(const mkeep_store *store,
                              const char *source,
                              const char *destination,
                              mkeep_error **error);

/**
 * Deletes a model, and the blobs that only it uses. `json`, which may be NULL, is what was done.
 * Where a blob cannot be removed the model is gone all the same, and a collection takes the blob.
 *
 * MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME.
 */
mkeep_status mkeep_store_delete(const mkeep_store *store,
                                const char *name,
                                mkeep_text **json,
                                mkeep_error **error);

/**
 * Deletes several models at the cost of one. Those that fail stop nothing: `json` names them.
 *
 * MKEEP_STATUS_INVALID_NAME where one of them is no name: then nothing was deleted.
 */
mkeep_status mkeep_store_delete_all(const mkeep_store *store,
                                    const char *const *names,
                                    size_t count,
                                    mkeep_text **json,
                                    mkeep_error **error);

/**
 * How many tensors.
 */
size_t mkeep_gguf_tensor_count(const mkeep_gguf *gguf);

/**
 * The tensor at a place; false, and nothing written, beyond the last. Costs nothing.
 */
bool mkeep_gguf_tensor(const mkeep_gguf *gguf, size_t index, mkeep_tensor *found);

/**
 * Opens all parts of a model, given the path of any of them: they lie side by side and are called
 * `NAME-00001-of-00003.gguf`. The flags are those of mkeep_gguf_open.
 *
 * MKEEP_STATUS_NOT_FOUND where a part is missing, MKEEP_STATUS_INVALID_GGUF where they do not
 * belong together; otherwise as mkeep_gguf_open.
 */
mkeep_status mkeep_parts_open(const char *file,
                              bool lenient,
                              bool no_mmap,
                              mkeep_parts **parts,
                              mkeep_error **error);

/**
 * How many parts.
 */
size_t mkeep_parts_count(const mkeep_parts *parts);

/**
 * A holder of the part at a place, to be ended by mkeep_gguf_free; NULL beyond the last. The first
 * has the metadata of the model.
 */
mkeep_gguf *mkeep_parts_gguf(const mkeep_parts *parts, size_t index);

/**
 * How many tensors all parts have.
 */
size_t mkeep_parts_tensor_count(const mkeep_parts *parts);

/**
 * The tensor at a place among those of all parts, and the number of its part from 0; false, and
 * nothing written, beyond the last. What it borrows lives as long as the parts.
 */
bool mkeep_parts_tensor(const mkeep_parts *parts, size_t index, size_t *part, mkeep_tensor *found);

/**
 * Ends the parts. Holders of a single part keep it.
 */
void mkeep_parts_free(mkeep_parts *parts);

/**
 * The text.
 */
mkeep_str mkeep_text_str(const mkeep_text *text);

/**
 * The text as C has it; NULL for NULL.
 */
const char *mkeep_text_c(const mkeep_text *text);

/**
 * Ends a text.
 */
void mkeep_text_free(mkeep_text *text);

/**
 * The element of an array at a place, whatever its type and the byte order; false, and nothing
 * written, beyond the last. Costs nothing for numbers and truths; for texts and arrays it walks
 * over those before: take mkeep_array_next_str for many texts.
 */
bool mkeep_array_get(const mkeep_array *array, uint64_t index, mkeep_value *value);

/**
 * The next text of an array of texts. `at` is where it begins within the array's bytes: 0 for the
 * first; it is moved to the next, and may be kept to come back. False after the last, and for
 * other arrays.
 */
bool mkeep_array_next_str(const mkeep_array *array, size_t *at, mkeep_str *str);

/**
 * Compares every blob of the store with its digest, or, where `count` is not 0, those of the named
 * models. `options` and `progress` may be NULL. What is wrong with a blob is a finding of the
 * report, not an error.
 *
 * MKEEP_STATUS_NOT_FOUND and MKEEP_STATUS_INVALID_NAME for a named model, MKEEP_STATUS_CORRUPT for
 * its manifest, MKEEP_STATUS_CANCELLED, MKEEP_STATUS_INVALID_ARGUMENT for options of a later
 * release.
 */
mkeep_status mkeep_store_verify(const mkeep_store *store,
                                const char *const *names,
                                size_t count,
                                const mkeep_verify_options *options,
                                mkeep_progress progress,
                                void *user,
                                mkeep_report **report,
                                mkeep_error **error);

/**
 * Whether nothing is wrong.
 */
bool mkeep_report_is_ok(const mkeep_report *report);

/**
 * How many blobs were looked at.
 */
size_t mkeep_report_count(const mkeep_report *report);

/**
 * The blob at a place; false, and nothing written, beyond the last.
 */
bool mkeep_report_get(const mkeep_report *report, size_t index, mkeep_finding *finding);

/**
 * The whole report as JSON; empty where a path in it is not UTF-8, which JSON cannot carry.
 */
mkeep_str mkeep_report_json(const mkeep_report *report);

/**
 * Ends a report.
 */
void mkeep_report_free(mkeep_report *report);

/**
 * Verifies as mkeep_store_verify does, and moves damaged blobs aside so that a pull or an import
 * can put the right ones in their place. `json` is what was moved.
 *
 * As mkeep_store_verify.
 */
mkeep_status mkeep_store_repair_json(const mkeep_store *store,
                                     const char *const *names,
                                     size_t count,
                                     mkeep_text **json,
                                     mkeep_error **error);

/**
 * Answers a call from the body of its request: the HTTP status, and the body of the response,
 * which may be empty. `call` is an mkeep_call. With it, any host that speaks HTTP serves the API.
 *
 * A refusal is an answer, too; the status of this function fails only for its own arguments.
 */
mkeep_status mkeep_store_answer(const mkeep_store *store,
                                uint32_t call,
                                const uint8_t *body,
                                size_t len,
                                uint16_t *http_status,
                                mkeep_text **response,
                                mkeep_error **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MODELKEEP_H */
