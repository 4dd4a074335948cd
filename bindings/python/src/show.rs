//! The classes of show.

use std::sync::Arc;
use std::time::SystemTime;

use pyo3::prelude::*;

use crate::json_base::{JsonBase, each, loads, texts};
use crate::listing::Details;
use crate::repr::shown;

/// Everything about one model.
#[pyclass(frozen, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Show {
    show: Arc<modelkeep::Show>,
}

impl Show {
    pub(crate) fn of(py: Python<'_>, show: modelkeep::Show) -> PyResult<Py<Self>> {
        let show = Arc::new(show);
        JsonBase::of(&show).with(py, Show { show })
    }
}

#[pymethods]
impl Show {
    /// The license texts, a newline between them.
    #[getter]
    fn license(&self) -> &str {
        &self.show.license
    }

    /// The same texts one by one.
    #[getter]
    fn licenses(&self) -> Vec<String> {
        self.show.licenses.clone()
    }

    /// A Modelfile that makes the model again.
    #[getter]
    fn modelfile(&self) -> &str {
        &self.show.modelfile
    }

    /// The parameters, a line for each value.
    #[getter]
    fn parameters(&self) -> &str {
        &self.show.parameters
    }

    /// The same parameters as values by key.
    #[getter]
    fn parameter_values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &modelkeep::json::to_string(&self.show.parameter_values))
    }

    /// The tokens of context that the model was made for, where something states them.
    #[getter]
    fn context_length(&self) -> Option<u64> {
        self.show.context_length()
    }

    /// The width of an embedding, where something states it.
    #[getter]
    fn embedding_length(&self) -> Option<u64> {
        self.show.embedding_length()
    }

    /// The template that renders prompts.
    #[getter]
    fn template(&self) -> &str {
        &self.show.template
    }

    /// The system prompt.
    #[getter]
    fn system(&self) -> &str {
        &self.show.system
    }

    /// The facts.
    #[getter]
    fn details(&self) -> Details {
        Details::from(&self.show.details)
    }

    /// The messages that belong to the model.
    #[getter]
    fn messages(&self, py: Python<'_>) -> PyResult<Vec<Py<Message>>> {
        each(py, self.show.messages.clone(), |_, message| {
            let modelkeep::Message { role, content, .. } = message;
            Ok(Message { role, content })
        })
    }

    /// The name at the host that serves a remote model; empty for a local one.
    #[getter]
    fn remote_model(&self) -> &str {
        &self.show.remote_model
    }

    /// The host that serves a remote model; empty for a local one.
    #[getter]
    fn remote_host(&self) -> &str {
        &self.show.remote_host
    }

    /// The metadata as the JSON has it; arrays are empty unless it is verbose.
    #[getter]
    fn model_info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        info(py, &self.show.model_info)
    }

    /// The metadata of the first projector, where there is one.
    #[getter]
    fn projector_info<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let projector = self.show.projector_info.as_ref();
        projector.map(|projector| info(py, projector)).transpose()
    }

    /// The tensors in the order of the file.
    #[getter]
    fn tensors(&self, py: Python<'_>) -> PyResult<Vec<Py<ShownTensor>>> {
        each(py, &self.show.tensors, |_, tensor| {
            Ok(ShownTensor {
                name: tensor.name.clone(),
                r#type: tensor.r#type.clone(),
                shape: tensor.shape.clone(),
            })
        })
    }

    /// What the model can do.
    #[getter]
    fn capabilities(&self) -> Vec<String> {
        texts(&self.show.capabilities)
    }

    /// The time of the manifest's last change.
    #[getter]
    fn modified_at(&self) -> SystemTime {
        self.show.modified_at.system_time()
    }

    /// The oldest release of Ollama that can run the model.
    #[getter]
    fn requires(&self) -> &str {
        &self.show.requires
    }

    fn __repr__(&self) -> String {
        let details = &self.show.details;
        let capabilities = self.capabilities();
        shown(
            "Show",
            &[
                ("family", &details.family),
                ("parameter_size", &details.parameter_size),
                ("quantization_level", &details.quantization_level),
                ("capabilities", &capabilities),
            ],
        )
    }
}

fn info<'py>(py: Python<'py>, info: &modelkeep::ModelInfo) -> PyResult<Bound<'py, PyAny>> {
    loads(py, &py.detach(|| modelkeep::json::to_string(info)))
}

/// A message that belongs to a model.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Message {
    /// `system`, `user`, `assistant`, or what the file has.
    role: String,
    /// The text.
    content: String,
}

#[pymethods]
impl Message {
    fn __repr__(&self) -> String {
        shown(
            "Message",
            &[("role", &self.role), ("content", &self.content)],
        )
    }
}

/// A tensor of a shown model, without its data.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct ShownTensor {
    /// Its name.
    name: String,
    /// The name of its type, as in `Q4_K`.
    r#type: String,
    /// Its dimensions in the order of the file.
    shape: Vec<u64>,
}

#[pymethods]
impl ShownTensor {
    fn __repr__(&self) -> String {
        let fields: [(&str, &dyn std::fmt::Debug); 3] = [
            ("name", &self.name),
            ("type", &self.r#type),
            ("shape", &self.shape),
        ];
        shown("ShownTensor", &fields)
    }
}
