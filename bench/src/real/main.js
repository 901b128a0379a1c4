// Classes, closures, regular expressions, JSON, typed arrays, maps, sorting, big integers and exceptions.
let seed = 42;
const random = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return (seed >>> 8) % n;
};

class Vector {
  constructor(x, y, z) { this.x = x; this.y = y; this.z = z; }
  plus(o) { return new Vector(this.x + o.x, this.y + o.y, this.z + o.z); }
  times(k) { return new Vector(this.x * k, this.y * k, this.z * k); }
  dot(o) { return this.x * o.x + this.y * o.y + this.z * o.z; }
}
class Sphere {
  constructor(at, radius) { this.at = at; this.radius = radius; }
  meets(from, to) {
    const d = from.plus(this.at.times(-1)), b = d.dot(to), c = d.dot(d) - this.radius * this.radius, root = b * b - c;
    return root < 0 ? Infinity : -b - Math.sqrt(root);
  }
}
const spheres = Array.from({ length: 6 }, () => new Sphere(new Vector(random(9) - 4, random(9) - 4, 6 + random(6)), 1 + random(3) / 2));
let picture = "";
for (let y = 0; y < 60; y++) {
  for (let x = 0; x < 100; x++) {
    const to = new Vector((x - 50) / 40, (y - 30) / 25, 1), ray = to.times(1 / Math.sqrt(to.dot(to)));
    const near = Math.min(...spheres.map((s) => s.meets(new Vector(0, 0, 0), ray)));
    picture += near === Infinity ? " " : "@%#*+=-:."[Math.min(8, Math.max(0, Math.floor(near - 3)))];
  }
  picture += "\n";
}
print(picture);

const words = [];
for (let i = 0; i < 30000; i++) {
  let word = "";
  for (let k = 3 + random(5); k > 0; k--) word += String.fromCharCode(97 + random(26));
  words.push(word);
}
const counts = new Map();
for (const word of words) counts.set(word.slice(0, 2), (counts.get(word.slice(0, 2)) ?? 0) + 1);
print([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 8).map((e) => e.join(":")).join(" "));
print(words.sort().filter((_, i) => i % 3000 === 0).join(" "));

const record = { words: words.slice(0, 6000), nested: words.slice(0, 3000).map((w, i) => ({ w, i, half: i / 2, odd: i % 2 === 1 })) };
const text = JSON.stringify(record);
let round = text;
for (let i = 0; i < 6; i++) round = JSON.stringify(JSON.parse(round));
print(text.length, round === text);

let found = 0;
for (const match of text.matchAll(/"([a-m]+)([n-z]+)"|(\d+)\.5/g)) found += match[1] ? match[1].length : Number(match[3]) % 7;
print(found, text.replace(/[aeiou]{2,}/g, (v) => v.length).length);

const sieve = new Uint8Array(400000);
let primes = 0;
for (let i = 2; i < sieve.length; i++) {
  if (sieve[i]) continue;
  primes++;
  for (let k = i * 2; k < sieve.length; k += i) sieve[k] = 1;
}
print(primes);

let caught = 0;
for (let i = 0; i < 60000; i++) {
  try {
    if (random(3) === 0) throw new RangeError(`number ${i}`);
    JSON.parse(random(20) === 0 ? "{" : "[1,2]");
  } catch (problem) {
    caught += problem instanceof RangeError ? 1 : 1000;
  }
}
print(caught);

let [a, b] = [0n, 1n];
for (let i = 0; i < 3000; i++) [a, b] = [b, a + b];
print(a.toString());
function* counter(n) { for (let i = 0; i < n; i++) yield i * i % 101; }
print([...counter(60000)].reduce((x, y) => x + y, 0));
