//! Everything about one model.

use std::ffi::c_char;

use engine::{Reference, Show, ShowOptions};

use crate::boundary::{Fault, free, get, optional, text, with};
use crate::growing::{Options, get_sized, growing, options};
use crate::list::nanoseconds;
use crate::pair::{Pair, pairs};
use crate::parameters::{self, mkeep_parameter};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// Everything about one model.
pub struct mkeep_show {
    pub(crate) show: Show,
    pub(crate) info: Vec<Pair>,
    pub(crate) projector_info: Vec<Pair>,
    template: mkeep_str,
    system: mkeep_str,
    modelfile: mkeep_str,
    details: mkeep_details,
    families: Vec<mkeep_str>,
    capabilities: Vec<mkeep_str>,
    licenses: Vec<mkeep_str>,
    parameters: Vec<mkeep_parameter>,
    messages: Vec<mkeep_shown_message>,
    _strings: Strings,
}

/// What to show of a model, and what to show in place of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_show_options {
    /// `sizeof(mkeep_show_options)`.
    pub size: usize,
    /// Whether the JSON has arrays in full.
    pub verbose: u8,
    /// A system prompt in place of the model's, or NULL.
    pub system: *const c_char,
    /// Parameters to lay over the model's in the Modelfile, as a JSON object, or NULL.
    pub parameters: *const c_char,
}

/// The facts of a model.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_details {
    /// `sizeof(mkeep_details)`.
    pub size: usize,
    /// The model that this one was made from.
    pub parent_model: mkeep_str,
    /// `gguf`, `safetensors`, or empty.
    pub format: mkeep_str,
    /// The architecture's family.
    pub family: mkeep_str,
    /// The size for people, as in `8.0B`.
    pub parameter_size: mkeep_str,
    /// The quantization's name, as in `Q4_K_M`.
    pub quantization_level: mkeep_str,
    /// The name at the host that serves a remote model; empty for a local one.
    pub remote_model: mkeep_str,
    /// The host that serves a remote model; empty for a local one.
    pub remote_host: mkeep_str,
    /// The oldest release of Ollama that can run the model, or empty.
    pub required_release: mkeep_str,
    /// Tokens of context; 0 where unknown.
    pub context_length: u64,
    /// Width of an embedding; 0 where unknown.
    pub embedding_length: u64,
    /// The time of the manifest's last change, in nanoseconds since 1970.
    pub modified: i64,
}

/// A message that belongs to a model.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_shown_message {
    /// `sizeof(mkeep_shown_message)`.
    pub size: usize,
    /// `system`, `user` or `assistant`.
    pub role: mkeep_str,
    /// The text.
    pub content: mkeep_str,
}

growing!(mkeep_show_options: parameters, mkeep_details: modified, mkeep_shown_message: content);
// SAFETY: a number and pointers.
unsafe impl Options for mkeep_show_options {}

impl mkeep_show_options {
    /// # Safety
    /// Each pointer is NULL or a string.
    unsafe fn read(&self) -> Result<ShowOptions, Fault> {
        let mut options = ShowOptions::default().verbose(self.verbose != 0);
        // SAFETY: by the contract.
        unsafe {
            if let Some(system) = optional(self.system, "the system prompt")? {
                options = options.system(system);
            }
            if let Some(text) = optional(self.parameters, "the parameters")? {
                options = options.options(parameters::parse(text)?);
            }
        }
        Ok(options)
    }
}

/// Reads options of show; those of NULL are all defaults.
///
/// # Safety
/// As [`options`].
pub(crate) unsafe fn show_options(
    options: *const mkeep_show_options,
) -> Result<ShowOptions, Fault> {
    // SAFETY: by the contract.
    unsafe { self::options(options)?.read() }
}

impl mkeep_details {
    fn new(strings: &mut Strings, show: &Show) -> Self {
        let details = &show.details;
        mkeep_details {
            size: size_of::<Self>(),
            parent_model: strings.add(&details.parent_model),
            format: strings.add(&details.format),
            family: strings.add(&details.family),
            parameter_size: strings.add(&details.parameter_size),
            quantization_level: strings.add(&details.quantization_level),
            remote_model: strings.add(&show.remote_model),
            remote_host: strings.add(&show.remote_host),
            required_release: strings.add(&show.requires),
            context_length: show.context_length().unwrap_or(0),
            embedding_length: show.embedding_length().unwrap_or(0),
            modified: nanoseconds(show.modified_at.system_time()),
        }
    }
}

impl From<Show> for mkeep_show {
    fn from(show: Show) -> Self {
        let mut strings = Strings::default();
        let s = &mut strings;
        let messages = show.messages.iter();
        let projector = show.projector_info.as_ref();
        mkeep_show {
            // What these borrow stays where it is when `show` is moved: files and strings.
            info: pairs(s, &show.model_info),
            projector_info: projector.map_or(Vec::new(), |info| pairs(s, info)),
            template: s.add(&show.template),
            system: s.add(&show.system),
            modelfile: s.add(&show.modelfile),
            details: mkeep_details::new(s, &show),
            families: s.displays(show.details.families.iter().flatten()),
            capabilities: s.displays(&show.capabilities),
            licenses: s.displays(&show.licenses),
            parameters: mkeep_parameter::all(s, &show.parameter_values),
            messages: messages
                .map(|message| mkeep_shown_message {
                    size: size_of::<mkeep_shown_message>(),
                    role: s.add(&message.role),
                    content: s.add(&message.content),
                })
                .collect(),
            show,
            _strings: strings,
        }
    }
}

/// Shows a model: opens its manifest and each blob that is needed once, and maps the GGUF file.
/// `options` may be NULL.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_FILE_NOT_FOUND where a blob is missing,
/// MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT, MKEEP_STATUS_INVALID_GGUF,
/// MKEEP_STATUS_INVALID_TEMPLATE, MKEEP_STATUS_INVALID_ARGUMENT for the options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_show(
    store: *const mkeep_store,
    name: *const c_char,
    options: *const mkeep_show_options,
    show: *mut *mut mkeep_show,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, show, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            Ok(store.show(&reference, &show_options(options)?)?.into())
        })
    }
}

/// Returns the template that renders prompts: the chat template of the GGUF file, or a Go template.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_template(show: *const mkeep_show) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(show, mkeep_str::EMPTY, |show| show.template) }
}

/// Returns the system prompt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_system(show: *const mkeep_show) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(show, mkeep_str::EMPTY, |show| show.system) }
}

/// Returns a Modelfile that makes the model again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_modelfile(show: *const mkeep_show) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(show, mkeep_str::EMPTY, |show| show.modelfile) }
}

/// Gets the facts; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_details(
    show: *const mkeep_show,
    details: *mut mkeep_details,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(show, details, |show| Some(show.details)) }
}

/// Gets a family of the architecture; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_family(
    show: *const mkeep_show,
    index: usize,
    family: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(show, family, |show| show.families.get(index).copied()) }
}

/// Gets what the model can do, as in `completion` or `tools`; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_capability(
    show: *const mkeep_show,
    index: usize,
    capability: *mut mkeep_str,
) -> bool {
    let nth = |show: &mkeep_show| show.capabilities.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(show, capability, nth) }
}

/// Gets the text of a license; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_license(
    show: *const mkeep_show,
    index: usize,
    license: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(show, license, |show| show.licenses.get(index).copied()) }
}

/// Gets a parameter, in the order of keys; of one that is a list, such as `stop`, one element after
/// the other, under the same key. False beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_parameter(
    show: *const mkeep_show,
    index: usize,
    parameter: *mut mkeep_parameter,
) -> bool {
    let nth = |show: &mkeep_show| show.parameters.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(show, parameter, nth) }
}

/// Gets a message that belongs to the model; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_message(
    show: *const mkeep_show,
    index: usize,
    message: *mut mkeep_shown_message,
) -> bool {
    let nth = |show: &mkeep_show| show.messages.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(show, message, nth) }
}

/// Makes the body of POST /api/show.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_json(
    show: *const mkeep_show,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(show, json, error, |show| Ok(show.show.to_json())) }
}

/// Frees a shown model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_free(show: *mut mkeep_show) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(show) }
}

/// Shows a model as the body of POST /api/show. `options` may be NULL.
///
/// As mkeep_store_show.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_show_json(
    store: *const mkeep_store,
    name: *const c_char,
    options: *const mkeep_show_options,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, json, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            let show = store.show(&reference, &show_options(options)?)?;
            Ok(mkeep_string::new(&show.to_json()))
        })
    }
}
