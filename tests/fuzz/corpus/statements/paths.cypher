MATCH p = shortestPath((a:Person {id: 1})-[:KNOWS*..15]-(b)) WHERE all(n IN nodes(p) WHERE n.x > 0)
RETURN [n IN nodes(p) | n.name] AS names, length(p), relationships(p)[0], allShortestPaths((a)-[*]-(b))
