// The `ollama` package of npm, unchanged, against the host that is named.
import assert from "node:assert/strict";
import { Ollama } from "ollama";

const client = new Ollama({ host: process.argv[2] });
const names = (await client.list()).models.map((model) => model.name).sort();
assert.deepEqual(names, ["llama3.2:latest", "llama3:13b", "llava:latest"]);
const shown = await client.show({ model: "llava" });
assert.equal(shown.details.family, "llama");
assert.equal(shown.model_info["general.architecture"], "llama");
assert.equal((await client.copy({ source: "llama3.2", destination: "from-node" })).status, "success");
assert.equal((await client.delete({ model: "from-node" })).status, "success");
for (const call of [() => client.show({ model: "nope" }), () => client.delete({ model: "nope" })]) {
  await assert.rejects(call, (error) => error.status_code === 404 && /not found/.test(error.message));
}
console.log("npm's ollama lists, shows, copies and deletes");
