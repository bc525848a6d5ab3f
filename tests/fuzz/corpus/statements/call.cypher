CALL db.labels(1, 'x') YIELD label AS l, n WHERE l = 'A' RETURN l
