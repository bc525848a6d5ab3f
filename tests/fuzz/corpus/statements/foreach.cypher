MATCH (a) FOREACH (x IN [1, 2] | CREATE (a)-[:T {x: x}]->() FOREACH (y IN x | SET a.y = y))
