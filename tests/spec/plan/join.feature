Feature: Parts of a pattern that share no variable are joined by an equality between them

  Scenario: [1] An equality between two parts is a join by hash
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 30) AS i CREATE (:P {x: i}), (:Q {y: i * 2})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x = b.y RETURN count(*) AS n, sum(a.x) AS s, sum(b.y) AS t
      """
    Then the result should be, in any order:
      | n  | s   | t   |
      | 15 | 240 | 240 |
    And the plan should show: HashJoin

  Scenario: [2] Null joins nothing
    Given an empty graph
    And having executed:
      """
      CREATE (:P {n: 1}), (:P {n: 2, x: 1}), (:Q {n: 3}), (:Q {n: 4}), (:Q {n: 5, y: 1})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x = b.y RETURN a.n AS a, b.n AS b
      """
    Then the result should be, in any order:
      | a | b |
      | 2 | 5 |
    And the plan should show: HashJoin

  Scenario: [3] Numbers of two kinds are equal exactly where = says so
    Given an empty graph
    And having executed:
      """
      CREATE (:P {n: 1, x: 1}), (:P {n: 2, x: 1.0}), (:P {n: 3, x: 9007199254740993}), (:P {n: 4, x: '1'}), (:P {n: 5, x: -0.0}),
             (:P {n: 6, x: 9223372036854775807}),
             (:Q {n: 1, y: 1}), (:Q {n: 2, y: 1.0}), (:Q {n: 3, y: 9007199254740992.0}), (:Q {n: 4, y: true}), (:Q {n: 5, y: 0}),
             (:Q {n: 6, y: 9223372036854775808.0}), (:Q {n: 7, y: 9223372036854775807})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x = b.y RETURN a.n AS a, b.n AS b
      """
    Then the result should be, in any order:
      | a | b |
      | 1 | 1 |
      | 1 | 2 |
      | 2 | 1 |
      | 2 | 2 |
      | 5 | 5 |
      | 6 | 7 |
    And the plan should show: HashJoin

  Scenario: [4] NaN equals nothing
    Given an empty graph
    And having executed:
      """
      CREATE (:P {x: 0.0 / 0.0}), (:Q {y: 0.0 / 0.0}), (:P {x: 2}), (:Q {y: 2}), (:P {x: [0.0 / 0.0]}), (:Q {y: [0.0 / 0.0]})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x = b.y RETURN a.x AS a, b.y AS b
      """
    Then the result should be, in any order:
      | a | b |
      | 2 | 2 |
    And the plan should show: HashJoin

  Scenario: [5] A list or map with null inside equals nothing
    Given an empty graph
    And having executed:
      """
      CREATE (:P {n: 1, x: 1}), (:P {n: 2}), (:P {n: 3, x: [1, 2]}), (:Q {n: 1, y: 1.0}), (:Q {n: 2}), (:Q {n: 3, y: [1.0, 2.0]})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE [a.x, 5] = [b.y, 5] RETURN a.n AS a, b.n AS b
      UNION ALL
      MATCH (a:P), (b:Q) WHERE {k: [a.x]} = {k: [b.y]} RETURN a.n AS a, b.n AS b
      UNION ALL
      MATCH (a:P), (b:Q) WHERE [a.x, null] = [b.y, null] RETURN a.n AS a, b.n AS b
      """
    Then the result should be, in any order:
      | a | b |
      | 1 | 1 |
      | 3 | 3 |
      | 1 | 1 |
      | 3 | 3 |
    And the plan should show: HashJoin

  Scenario: [6] Duplicates on both sides make every pair
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 40) AS i CREATE (:P {x: i % 4}), (:Q {y: i % 8})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x = b.y RETURN a.x AS x, count(*) AS n
      """
    Then the result should be, in any order:
      | x | n  |
      | 0 | 50 |
      | 1 | 50 |
      | 2 | 50 |
      | 3 | 50 |
    And the plan should show: HashJoin

  Scenario: [7] An empty side
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 40) AS i CREATE (:P {x: i})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x = b.y RETURN a, b
      """
    Then the result should be, in any order:
      | a | b |
    And the plan should show: HashJoin

  Scenario: [8] Two MATCH clauses
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 20) AS i CREATE (:P {x: i})-[:K]->(:R {z: i % 3}), (:Q {y: i + 10})-[:K]->(:S {w: i % 3})
      """
    When executing query:
      """
      MATCH (a:P)-[k]->(c) MATCH (b:Q)-[l]->(d) WHERE a.x = b.y AND c.z = d.w AND a.x > 12 RETURN a.x AS x, c.z AS z, d.w AS w
      UNION ALL
      MATCH (a:P)-[k]->(c) MATCH (b:Q)-[l]->(d) WHERE a.x = b.y AND c.z <> d.w AND a.x > 17 RETURN a.x AS x, c.z AS z, d.w AS w
      """
    Then the result should be, in any order:
      | x  | z | w |
      | 18 | 0 | 2 |
      | 19 | 1 | 0 |
      | 20 | 2 | 1 |
    And the plan should show: HashJoin

  Scenario: [9] A relationship of one MATCH is not found on both sides
    Given an empty graph
    And having executed:
      """
      CREATE (a {x: 1}), (b {x: 1}), (c {x: 1}), (a)-[:K {n: 1}]->(b), (b)-[:K {n: 2}]->(c)
      """
    When executing query:
      """
      MATCH (a)-[k]->(b), (c)-[l]->(d) WHERE b.x = d.x RETURN k.n AS k, l.n AS l
      """
    Then the result should be, in any order:
      | k | l |
      | 1 | 2 |
      | 2 | 1 |
    And the plan should show: HashJoin

  Scenario: [10] The same with lists of relationships
    Given an empty graph
    And having executed:
      """
      CREATE (a {x: 1}), (b {x: 1}), (c {x: 1}), (a)-[:K {n: 1}]->(b), (b)-[:K {n: 2}]->(c)
      """
    When executing query:
      """
      MATCH (a)-[k*1..2]->(b), (c)-[l]->(d) WHERE b.x = d.x RETURN size(k) AS k, l.n AS l
      """
    Then the result should be, in any order:
      | k | l |
      | 1 | 2 |
      | 1 | 1 |

  Scenario: [11] Where an index answers, each row asks it
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 50) AS i CREATE (:P {x: i}), (:Q {y: i}), (:Q {y: i})
      """
    And having executed:
      """
      CREATE INDEX by_y FOR (q:Q) ON (q.y)
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x = b.y RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n   |
      | 100 |
    And the plan should show: SeekIndex b by index by_y =

  Scenario: [12] A range of an index and an equality without one
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 50) AS i CREATE (:P {x: i, z: i % 5}), (:Q {y: i, z: i % 5})
      """
    And having executed:
      """
      CREATE INDEX by_y FOR (q:Q) ON (q.y)
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x < b.y AND a.z = b.z RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n   |
      | 225 |
    And the plan should show: HashJoin

  Scenario: [13] A key that may fail stays in a filter
    Given an empty graph
    And having executed:
      """
      CREATE (:P {x: 4, d: 0}), (:Q {y: 2, ok: false})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE b.ok AND a.x / a.d = b.y RETURN a, b
      """
    Then the result should be, in any order:
      | a | b |

  Scenario: [14] An error of the rows so far is raised though nothing can join
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 20) AS i CREATE (:Q {y: i})
      """
    When executing query:
      """
      UNWIND range(0, 2000) AS i WITH 10 / (2000 - i) AS x MATCH (b:Q {z: 7}) WHERE b.y = x RETURN count(*) AS n
      """
    Then an ArithmeticError should be raised at runtime: DivisionByZero

  Scenario: [15] Rows of earlier clauses join too
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 20) AS i CREATE (:Q {y: i % 10})
      """
    When executing query:
      """
      UNWIND [3, 4.0, null, 'x', 3, [3], 77, 5, 6, 7, 8] AS x MATCH (b:Q {y: x}) RETURN x, count(*) AS n
      """
    Then the result should be, in any order:
      | x   | n |
      | 3   | 4 |
      | 4.0 | 2 |
      | 5   | 2 |
      | 6   | 2 |
      | 7   | 2 |
      | 8   | 2 |
    And the plan should show: HashJoin

  Scenario: [16] What an earlier clause wrote is found on both sides
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 20) AS i CREATE (:P {x: i})
      """
    When executing query:
      """
      MATCH (a:P) CREATE (c:Q {y: a.x}) WITH a, count(*) AS made MATCH (b:Q) WHERE b.y = a.x SET b.seen = true WITH a, b
      MATCH (d:Q) WHERE d.y = a.x AND d.seen = b.seen RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n  |
      | 20 |

  Scenario: [17] Three parts, one equality each
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 12) AS i CREATE (:P {x: i}), (:Q {y: i, z: i % 6}), (:R {w: i % 3})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q), (c:R) WHERE a.x = b.y AND c.w = b.z RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n  |
      | 24 |
    And the plan should show: HashJoin

  Scenario: [18] A random number is drawn for each pair
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 20) AS i CREATE (:P {x: i}), (:Q {y: 1})
      """
    When executing query:
      """
      MATCH (a:P), (b:Q) WHERE a.x * 0 + toInteger(rand() * 2) = b.y RETURN count(*) > 100 AND count(*) < 300 AS fair
      """
    Then the result should be, in any order:
      | fair |
      | true |

  Scenario: [19] A piece that joins comes before one that does not
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 20) AS i CREATE (:P {x: i}), (:R {z: i, w: i})
      """
    And having executed:
      """
      UNWIND range(1, 30) AS i CREATE (:Q {y: i, w: i})
      """
    When executing query:
      """
      MATCH (a:P), (c:R), (b:Q) WHERE a.x = b.y AND c.w = b.w RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n  |
      | 20 |
    And the plan should show: HashJoin b.w = c.w

  Scenario: [20] A piece that an index finds comes before one that nothing does
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 20) AS i CREATE (:P {x: i}), (:R {z: i})
      """
    And having executed:
      """
      UNWIND range(1, 30) AS i CREATE (:Q {y: i, w: i})
      """
    And having executed:
      """
      CREATE INDEX by_y FOR (q:Q) ON (q.y)
      """
    When executing query:
      """
      MATCH (a:P), (c:R), (b:Q) WHERE a.x = b.y AND c.z = b.w RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n  |
      | 20 |
    And the plan should show: SeekIndex b by index by_y =
