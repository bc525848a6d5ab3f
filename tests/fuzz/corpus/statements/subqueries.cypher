MATCH (a) WHERE EXISTS { MATCH (a)-->(b) WHERE b.x = a.x RETURN b } OR exists((a)<--())
RETURN [(a)-[r:T|U*1..3 {k: 0x1F}]->(b) WHERE r IS NOT NULL | b.x] AS xs, size([(a)--() | 1])
