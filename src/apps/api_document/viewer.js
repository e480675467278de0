
"use strict";

const methods = ["get", "post", "put", "patch", "delete"];
const byId = (id) => document.getElementById(id);
let api;

// --- building the page: text only ever becomes text

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

// Paragraphs, `code` and **strong**: what the description uses of Markdown.
function prose(text) {
  return make("div", {}, ...(text || "").split("\n\n").filter(Boolean).map((paragraph) => make("p", {}, ...words_of(paragraph))));
}

function words_of(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) { return make("code", { textContent: part.slice(1, -1) }); }
    return part.startsWith("**") ? make("strong", { textContent: part.slice(2, -2) }) : part;
  });
}

function note_of(description, bounds) {
  return make("span", { className: "note" }, ...words_of(description || ""), description && bounds ? " \u2014 " : "", bounds);
}

function resolve(value) {
  let found = value;
  while (found && found.$ref) {
    const rest = { ...found };
    delete rest.$ref;
    const target = value_at(found.$ref);
    found = { ...target, ...rest };
  }
  return found;
}

function value_at(reference) {
  return reference.slice(2).split("/").reduce((place, name) => place[name.replace(/~1/g, "/").replace(/~0/g, "~")], api);
}

// One object of what `allOf` puts together.
function flatten(schema) {
  const own = resolve(schema) || {};
  return (own.allOf || []).map(flatten).reduceRight((whole, part) => ({
    ...part, ...whole,
    properties: { ...part.properties, ...whole.properties },
    required: [...new Set([...(part.required || []), ...(whole.required || [])])],
  }), { ...own });
}

// --- schemas and examples

function type_of(schema) {
  if (schema.const !== undefined) { return JSON.stringify(schema.const); }
  if (schema.enum) { return schema.enum.map((each) => JSON.stringify(each)).join(" | "); }
  const choices = schema.anyOf || schema.oneOf;
  if (choices) { return choices.map((each) => type_of(flatten(each))).join(" | "); }
  const types = [schema.type || (schema.properties ? "object" : "anything")].flat().join(" | ");
  return schema.type === "array" ? `array of ${type_of(flatten(schema.items || {}))}` : types;
}

function bounds_of(schema) {
  const names = ["format", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "default"];
  return names.filter((name) => schema[name] !== undefined).map((name) => `${name} ${JSON.stringify(schema[name])}`).join(", ");
}

function schema_item(name, schema, is_required) {
  const flat = flatten(schema);
  const head = [name ? make("code", { textContent: name }) : "", ` ${is_required ? "" : "optional "}${type_of(flat)} `];
  const note = note_of(flat.description, bounds_of(flat));
  const inner = inner_schemas(flat);
  if (inner.length === 0) { return make("li", {}, ...head, note); }
  // Filled when it is opened, so that a schema may contain itself.
  const details = make("details", { open: !name }, make("summary", {}, ...head, note));
  const fill = () => details.childElementCount === 1 && details.append(make("ul", { className: "schema" }, ...inner.map((each) => schema_item(...each))));
  if (!name) { fill(); }
  details.addEventListener("toggle", fill);
  return make("li", {}, details);
}

function inner_schemas(flat) {
  const inner = Object.entries(flat.properties || {}).map(([name, each]) => [name, each, (flat.required || []).includes(name)]);
  for (const [pattern, each] of Object.entries(flat.patternProperties || {})) { inner.push([`/${pattern}/`, each, false]); }
  if (flat.additionalProperties && flat.additionalProperties !== true) { inner.push(["any name", flat.additionalProperties, false]); }
  if (flat.items && inner_schemas(flatten(flat.items)).length > 0) { inner.push(["each", flat.items, true]); }
  for (const each of flat.oneOf || flat.anyOf || []) {
    const choice = flatten(each);
    if (inner_schemas(choice).length > 0) { inner.push([choice.title || "either", each, true]); }
  }
  return inner;
}

function example_of(schema, depth = 0) {
  const flat = flatten(schema);
  if (flat.examples) { return flat.examples[0]; }
  if (flat.default !== undefined) { return flat.default; }
  if (flat.const !== undefined) { return flat.const; }
  if (flat.enum) { return flat.enum[0]; }
  if (flat.anyOf || flat.oneOf) { return example_of((flat.anyOf || flat.oneOf)[0], depth + 1); }
  const type = [flat.type].flat()[0];
  if (type === "object" || flat.properties) {
    const names = depth > 4 ? [] : Object.keys(flat.properties || {});
    return Object.fromEntries(names.map((name) => [name, example_of(flat.properties[name], depth + 1)]));
  }
  if (type === "array") { return depth > 4 ? [] : [example_of(flat.items || {}, depth + 1)]; }
  return { string: "text", integer: flat.minimum || 0, number: 0.5, boolean: true, null: null }[type] ?? null;
}

function media_part(media) {
  const parts = [];
  for (const [type, { schema, example }] of Object.entries(media || {})) {
    parts.push(make("p", {}, make("code", { textContent: type })));
    parts.push(make("ul", { className: "schema" }, schema_item("", schema || {}, true)));
    if (type.includes("json") && schema) {
      const text = JSON.stringify(example ?? example_of(schema), null, 2);
      parts.push(make("details", {}, make("summary", { textContent: "Example" }), make("pre", { tabIndex: 0, textContent: text })));
    }
  }
  return parts;
}

// --- operations

function parameters_of(path, operation) {
  return [...(path.parameters || []), ...(operation.parameters || [])].map(resolve);
}

function response_part([status, reference]) {
  const response = resolve(reference);
  const headers = Object.entries(response.headers || {}).map(([name, each]) => [name, { ...resolve(each).schema, description: resolve(each).description }, resolve(each).required]);
  return make("details", {}, make("summary", {}, make("strong", { textContent: status }), " ", ...words_of(response.description)),
    headers.length > 0 ? make("ul", { className: "schema" }, ...headers.map((each) => schema_item(...each))) : null,
    ...media_part(response.content));
}

function field(parameter, id) {
  const schema = flatten(parameter.schema || {});
  const input = make(schema.enum ? "select" : "input", { id, name: parameter.name, required: Boolean(parameter.required) });
  if (schema.enum) {
    input.append(...(parameter.required ? [] : [""]).concat(schema.enum).map((each) => make("option", { textContent: each })));
  } else {
    input.placeholder = String(parameter.example ?? schema.default ?? schema.examples?.[0] ?? "");
  }
  const name = make("span", {}, make("code", { textContent: parameter.name }), ` (${parameter.in}${parameter.required ? ", required" : ""}) ${type_of(schema)}`);
  const note = note_of(parameter.description, bounds_of(schema));
  return [input, make("div", { className: "field" }, make("label", { htmlFor: id }, name), input, make("br"), note)];
}

function render_operation(url, path, method) {
  const operation = path[method];
  const id = operation.operationId;
  const scope = (operation.security || []).map((each) => Object.values(each).flat()[0]).find(Boolean);
  const summary = make("summary", {}, make("span", { className: "method", textContent: method.toUpperCase() }),
    make("code", { className: "path", textContent: url }), `${operation.summary} `, scope ? make("span", { className: "note scope", textContent: `needs ${scope}` }) : null);
  const details = make("details", { id, className: "operation" }, summary);
  details.dataset.words = `${method} ${url} ${operation.summary} ${id}`.toLowerCase();
  details.addEventListener("toggle", () => {
    if (details.childElementCount === 1) { details.append(operation_body(url, path, method, operation)); }
    if (details.open) { history.replaceState(null, "", `#${id}`); }
  });
  return details;
}

function operation_body(url, path, method, operation) {
  const id = operation.operationId;
  const form = make("form");
  const fields = parameters_of(path, operation).map((parameter, index) => [parameter, ...field(parameter, `${id}-${index}`)]);
  const servers = operation.servers || path.servers || api.servers || [{ url: "/" }];
  const server = make("select", { id: `${id}-server` }, ...servers.map((each) => make("option", { textContent: each.url })));
  const body = resolve(operation.requestBody);
  const media = body && Object.entries(body.content)[0];
  const text = media && make("textarea", { id: `${id}-body`, spellcheck: false, value: JSON.stringify(example_of(media[1].schema), null, 2) });
  const answer = make("output");
  form.append(...(fields.length > 0 ? [make("h4", { textContent: "Parameters" })] : []), ...fields.map((each) => each[2]));
  if (servers.length > 1) { form.append(make("div", { className: "field" }, make("label", { htmlFor: server.id, textContent: "below" }), server)); }
  if (text) {
    form.append(make("h4", { textContent: "Body" }), ...media_part(body.content), make("label", { htmlFor: text.id, textContent: `What to send (${media[0]})` }), text);
  }
  form.append(make("button", { textContent: `Try ${method.toUpperCase()}` }), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    call({ url, method, base: server.value, fields, text: text && text.value, type: media && media[0] }, answer);
  });
  return make("div", {}, prose(operation.description), form, make("h4", { textContent: "Answers" }), ...Object.entries(operation.responses).map(response_part));
}

// --- trying

function request_of({ url, method, base, fields, text, type }) {
  const headers = new Headers();
  const query = new URLSearchParams();
  let path = base.replace(/\/$/, "") + url;
  for (const [parameter, input] of fields) {
    if (parameter.in === "path") { path = path.replace(`{${parameter.name}}`, () => encodeURIComponent(input.value)); }
    if (input.value === "") { continue; }
    if (parameter.in === "query") { query.set(parameter.name, input.value); }
    if (parameter.in === "header") { headers.set(parameter.name, input.value); }
  }
  if (byId("key").value) { headers.set("X-API-Key", byId("key").value); }
  if (type) { headers.set("Content-Type", type); }
  const asked = query.toString();
  const target = asked ? `${path}?${asked}` : path;
  return [target, { method: method.toUpperCase(), headers, body: text, credentials: "omit", cache: "no-store" }];
}

async function call(parts, answer) {
  answer.replaceChildren("Asking…");
  try {
    const [target, options] = request_of(parts);
    const response = await fetch(target, options);
    const raw = await response.text();
    const shown = (response.headers.get("Content-Type") || "").includes("json") ? pretty(raw) : raw;
    const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    answer.replaceChildren(
      make("p", { className: response.ok ? "good" : "bad" }, make("strong", { textContent: `${response.status} ${response.statusText}` }), ` ${options.method} ${target}`),
      make("pre", { tabIndex: 0, textContent: headers }), make("pre", { tabIndex: 0, textContent: shown }));
  } catch (error) {
    answer.replaceChildren(make("p", { className: "bad", textContent: `No answer: ${error.message}` }));
  }
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

// --- the page

function render() {
  document.title = `API of the ${api.info.title}`;
  byId("title").textContent = `${api.info.title} ${api.info.version}`;
  byId("summary").textContent = api.info.summary;
  byId("state").replaceWith(prose(api.info.description));
  for (const tag of api.tags) {
    const section = make("section", {}, make("h2", { id: `group-${tag.name}`, textContent: tag.name }), prose(tag.description));
    for (const [url, path] of Object.entries(api.paths)) {
      section.append(...methods.filter((method) => path[method] && path[method].tags.includes(tag.name)).map((method) => render_operation(url, path, method)));
    }
    byId("groups").append(make("a", { href: `#group-${tag.name}`, textContent: tag.name }));
    byId("operations").append(section);
  }
}

function show_only() {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const operation of document.querySelectorAll(".operation")) {
    operation.hidden = !words.every((word) => operation.dataset.words.includes(word));
  }
}

function open_linked() {
  const linked = byId(decodeURIComponent(location.hash.slice(1)));
  if (linked && linked.matches(".operation")) {
    linked.open = true;
    linked.scrollIntoView();
  }
}

async function start() {
  byId("settings").addEventListener("submit", (event) => event.preventDefault());
  byId("filter").addEventListener("input", show_only);
  addEventListener("hashchange", open_linked);
  try {
    api = await (await fetch("openapi.json")).json();
    render();
    open_linked();
  } catch (error) {
    byId("state").textContent = `The description cannot be read: ${error.message}`;
  }
}

start();
