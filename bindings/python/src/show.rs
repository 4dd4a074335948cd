//! The classes of show.

use pyo3::prelude::*;

use crate::json_base::{each, loads, texts};
use crate::listing::Details;
use crate::record::record;

record! {
    /// Everything about one model.
    ///
    /// >>> show = store.show("llama3.2")
    /// >>> show.system, show.parameters, show.licenses, show.capabilities
    /// ('Be brief.', {'stop': ['</s>'], 'temperature': 0.5}, ['MIT'], ['completion'])
    Show(py, it: modelkeep::Show) extends JsonBase shows [details, capabilities] {
        /// The license texts, a newline between them.
        license => it.license.clone();
        /// The license texts one by one.
        licenses => it.licenses.clone();
        /// A Modelfile that makes the model again.
        modelfile => it.modelfile.clone();
        /// The parameters by key: numbers, strings, booleans, and a list for `stop`.
        ///
        /// >>> store.show("llama3.2").parameters["temperature"]
        /// 0.5
        parameters => loads(py, &modelkeep::json::to_string(&it.parameter_values))?;
        /// The parameters as the HTTP API has them, a line for each value.
        parameters_text => it.parameters.clone();
        /// The tokens of context that the model was made for; `None` where nothing states them.
        context_length => it.context_length();
        /// The width of an embedding; `None` where nothing states it.
        embedding_length => it.embedding_length();
        /// The template that renders prompts: of Go, or of Jinja where the model has no other.
        template => it.template.clone();
        /// The system prompt; empty where there is none.
        system => it.system.clone();
        /// The facts: family, parameter size, quantization.
        details => Details::shown(&it.details, it.context_length(), it.embedding_length());
        /// The messages that belong to the model, as a list of `Message`.
        messages => each(py, &it.messages, |message| Message::from(message.clone()))?;
        /// The name at the host that serves a remote model; empty for a local one.
        remote_model => it.remote_model.clone();
        /// The host that serves a remote model; empty for a local one.
        remote_host => it.remote_host.clone();
        /// The metadata of the GGUF file as the JSON has it; arrays are empty unless `verbose` was
        /// asked for.
        ///
        /// >>> store.show("llama3.2").model_info["general.architecture"]
        /// 'llama'
        model_info => info(py, &it.model_info)?;
        /// The metadata of the first projector; `None` where there is none.
        projector_info => match &it.projector_info {
            Some(projector) => Some(info(py, projector)?),
            None => None,
        };
        /// The tensors in the order of the file, as a list of `ShownTensor`.
        tensors => each(py, &it.tensors, |tensor| ShownTensor::from(tensor.clone()))?;
        /// What the model can do, as in `["completion", "tools"]`.
        capabilities => texts(&it.capabilities);
        /// The time of the manifest's last change, an aware `datetime`.
        modified_at => it.modified_at.system_time();
        /// The oldest release of Ollama that can run the model; empty where any can.
        requires => it.requires.clone();
    }
}

fn info<'py>(py: Python<'py>, info: &modelkeep::ModelInfo) -> PyResult<Bound<'py, PyAny>> {
    loads(py, &py.detach(|| modelkeep::json::to_string(info)))
}

record! {
    /// A message that belongs to a model.
    ///
    /// >>> store.show("llama3.2").messages
    /// [Message(role='user', content='Hello')]
    Message(py, it: modelkeep::Message) shows [role, content] {
        /// `system`, `user`, `assistant`, or what the file has.
        role => it.role.clone();
        /// The text.
        content => it.content.clone();
    }
}

record! {
    /// A tensor of a shown model, without its data; `Model.gguf` has those.
    ///
    /// >>> store.show("llama3.2").tensors[0]
    /// ShownTensor(name='token_embd.weight', type='F32', shape=[8, 4])
    ShownTensor(py, it: modelkeep::ShownTensor) shows [name, r#type, shape] {
        /// Its name.
        name => it.name.clone();
        /// The name of its type, as in `Q4_K`.
        r#type => it.r#type.clone();
        /// Its dimensions in the order of the file.
        shape => it.shape.clone();
    }
}
