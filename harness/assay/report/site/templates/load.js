// Data: each file calls `assayData` with its key. A script element loads it, which works from a folder too.
const files = new Map(), arrived = new Map();

window.assayData = (key, value) => arrived.set(key, value);

function load(key) {
  if (!files.has(key)) {
    files.set(key, new Promise((resolve, reject) => {
      const element = h("script", {src: `data/${key}.js`});
      element.onload = () => arrived.has(key) ? resolve(arrived.get(key)) : reject(new Error(`data/${key}.js has no data`));
      element.onerror = () => {
        files.delete(key); // it may be there the next time
        reject(new Error(`data/${key}.js cannot be loaded`));
      };
      document.head.append(element);
    }));
  }
  return files.get(key);
}

const loadAll = keys => Promise.all(keys.map(load));

// As `slug` in files.py.
const slug = name => name.replace(/[^A-Za-z0-9_.-]/gu, "-").slice(0, 120);
const loadCase = id => load(`case-${Object.hasOwn(S.renamed, id) ? S.renamed[id] : slug(id)}`);

// The rows of some interfaces, in order, each with its interface.
async function loadRows(places) {
  const keys = places.flatMap(place => {
    const [, stem, count] = S.interfaces[place];
    return Array.from({length: count}, (_, n) => `interface-${stem}-${n}`);
  });
  return (await loadAll(keys)).flatMap(unpack);
}
