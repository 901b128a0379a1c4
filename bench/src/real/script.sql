CREATE TABLE item(id INTEGER PRIMARY KEY, kind TEXT, price REAL, stock INTEGER, note TEXT);
CREATE TABLE sale(item INTEGER REFERENCES item(id), day INTEGER, amount INTEGER);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO item SELECT i, 'kind' || (i * 7919 % 97), (i * 104729 % 10007) / 100.0, i * 31 % 500,
    printf('note %d of %s', i, hex(i * 2654435761 % 4294967296)) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO sale SELECT i * 48271 % 20000 + 1, i % 365, i * 16807 % 9 + 1 FROM n;
COMMIT;
CREATE INDEX item_kind ON item(kind, price);
CREATE INDEX sale_item ON sale(item);
SELECT kind, count(*), round(sum(price), 2), min(note) FROM item GROUP BY kind ORDER BY 3 DESC LIMIT 10;
SELECT i.kind, sum(s.amount), round(sum(s.amount * i.price), 2) FROM sale s JOIN item i ON i.id = s.item
    GROUP BY i.kind ORDER BY 3 DESC, 1 LIMIT 10;
SELECT count(*) FROM item WHERE note LIKE '%of A%' OR note LIKE '%77%';
UPDATE item SET stock = stock - (SELECT coalesce(sum(amount), 0) FROM sale WHERE sale.item = item.id);
SELECT count(*), sum(stock), min(stock), max(stock) FROM item WHERE stock < 0;
WITH ranked AS (SELECT kind, id, price, row_number() OVER (PARTITION BY kind ORDER BY price DESC, id) AS place FROM item)
SELECT kind, group_concat(id, ' ') FROM ranked WHERE place <= 3 GROUP BY kind ORDER BY kind LIMIT 12;
DELETE FROM item WHERE id % 3 = 0;
SELECT a.kind, count(*) FROM item a JOIN item b ON a.kind = b.kind AND b.price BETWEEN a.price AND a.price + 0.5
    GROUP BY a.kind ORDER BY 2 DESC, 1 LIMIT 5;
WITH RECURSIVE
    x(v) AS (VALUES(-2.0) UNION ALL SELECT v + 0.05 FROM x WHERE v < 1.2),
    y(v) AS (VALUES(-1.0) UNION ALL SELECT v + 0.1 FROM y WHERE v < 1.0),
    m(i, cx, cy, zx, zy) AS (
        SELECT 0, x.v, y.v, 0.0, 0.0 FROM x, y
        UNION ALL SELECT i + 1, cx, cy, zx * zx - zy * zy + cx, 2.0 * zx * zy + cy FROM m WHERE zx * zx + zy * zy < 4.0 AND i < 28),
    last(i, cx, cy) AS (SELECT max(i), cx, cy FROM m GROUP BY cx, cy)
SELECT group_concat(t, char(10)) FROM (SELECT group_concat(substr(' .+*#', min(i / 7, 4) + 1, 1), '') AS t FROM last GROUP BY cy);
PRAGMA integrity_check;
