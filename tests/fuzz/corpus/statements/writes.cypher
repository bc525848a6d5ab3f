UNWIND $p AS row MERGE (a:A:B {k: row.k})-[r:T]->(b) ON CREATE SET r.x = 1, a += row ON MATCH SET a = {y: 2}
REMOVE a.z, a:B WITH a, r DETACH DELETE a, r
