// Data that the page carries: base64, gzip, JSON; unpacked once, when it is asked for.
const unpacked = new Map();

async function unpack(element) {
  const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function payload(id) {
  if (!unpacked.has(id)) {
    const element = document.getElementById(id);
    unpacked.set(id, element ? unpack(element) : Promise.resolve(null));
  }
  return unpacked.get(id);
}
