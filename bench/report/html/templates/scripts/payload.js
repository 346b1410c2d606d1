// Data that the page carries: text, gzip, JSON; unpacked once, when it is asked for.
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~"; // RFC 1924, a comma for <
const VALUES = new Uint8Array(128);
[...LETTERS].forEach((letter, value) => { VALUES[letter.charCodeAt(0)] = value; });
const unpacked = new Map();

function bytesOf(text) { // five letters are four bytes; the last group may be shorter
  const missing = (5 - (text.length % 5)) % 5;
  const padded = text + "~".repeat(missing);
  const bytes = new Uint8Array((padded.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let from = 0, to = 0; from < padded.length; from += 5, to += 4) {
    let number = 0;
    for (let i = from; i < from + 5; i += 1) number = number * 85 + VALUES[padded.charCodeAt(i)];
    view.setUint32(to, number);
  }
  return bytes.subarray(0, bytes.length - missing);
}

async function unpack(element) {
  const stream = new Blob([bytesOf(element.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function payload(id) {
  if (!unpacked.has(id)) {
    const element = document.getElementById(id);
    unpacked.set(id, element ? unpack(element) : Promise.resolve(null));
  }
  return unpacked.get(id);
}
