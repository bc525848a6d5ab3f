MATCH (me:Person {name: $p})-[:KNOWS]-(f)-[:KNOWS]-(fof) WHERE fof <> me AND NOT (me)-[:KNOWS]-(fof)
RETURN fof.name AS name, count(DISTINCT f) AS mutual ORDER BY mutual DESC, name SKIP 1 LIMIT 10;
