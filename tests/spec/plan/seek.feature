Feature: Seeks and plans

  Scenario: [1] id(n) is a seek
    Given an empty graph
    And having executed:
      """
      CREATE (:A {v: 1}), (:A {v: 2})
      """
    When executing query:
      """
      MATCH (n:A) WITH id(n) AS i, n.v AS v ORDER BY v DESC LIMIT 1 MATCH (m) WHERE id(m) = i RETURN m.v AS v
      """
    Then the result should be, in any order:
      | v |
      | 2 |
    And the plan should show: SeekId m by id

  Scenario: [2] elementId(n) is a seek
    Given an empty graph
    And having executed:
      """
      CREATE (:A {v: 1}), (:A {v: 2})
      """
    When executing query:
      """
      MATCH (n:A {v: 2}) WITH elementId(n) AS i MATCH (m) WHERE elementId(m) = i RETURN m.v AS v
      """
    Then the result should be, in any order:
      | v |
      | 2 |
    And the plan should show: SeekId m by elementId

  Scenario: [3] id(r) is a seek of a relationship
    Given an empty graph
    And having executed:
      """
      CREATE (:A {v: 1})-[:K {w: 7}]->(:A {v: 2}), (:A {v: 3})-[:K {w: 8}]->(:A {v: 4})
      """
    When executing query:
      """
      MATCH ()-[r {w: 8}]->() WITH id(r) AS i MATCH (a)-[q]->(b) WHERE id(q) = i RETURN a.v AS a, b.v AS b
      """
    Then the result should be, in any order:
      | a | b |
      | 3 | 4 |
    And the plan should show: SeekId q by id

  Scenario: [4] An id that nothing has
    Given any graph
    When executing query:
      """
      MATCH (n) WHERE id(n) = 123456789012 RETURN n
      """
    Then the result should be, in any order:
      | n |

  Scenario: [5] EXISTS stops at the first
    Given an empty graph
    And having executed:
      """
      CREATE (a:A {n: 1})-[:K]->(:B), (a)-[:K]->(:B), (:A {n: 2})
      """
    When executing query:
      """
      MATCH (a:A) WHERE EXISTS { MATCH (a)-[:K]->(:B) } RETURN a.n AS n
      """
    Then the result should be, in any order:
      | n |
      | 1 |
    And the plan should show: SemiApply

  Scenario: [6] The other way round
    Given an empty graph
    And having executed:
      """
      CREATE (a:A {n: 1})-[:K]->(:B), (:A {n: 2})
      """
    When executing query:
      """
      MATCH (a:A) WHERE NOT (a)-[:K]->() RETURN a.n AS n
      """
    Then the result should be, in any order:
      | n |
      | 2 |

  Scenario: [7] Optional keeps the outer row
    Given an empty graph
    And having executed:
      """
      CREATE (:A {n: 1})-[:K]->(:B {m: 5}), (:A {n: 2})
      """
    When executing query:
      """
      MATCH (a:A) OPTIONAL MATCH (a)-[:K]->(b) RETURN a.n AS n, b.m AS m, b IS NULL AS none
      """
    Then the result should be, in any order:
      | n | m    | none  |
      | 1 | 5    | false |
      | 2 | null | true  |

  Scenario: [8] Aggregation under an optional match counts for each row
    Given an empty graph
    And having executed:
      """
      CREATE (:A {n: 1})-[:K]->(:B), (:A {n: 2})
      """
    When executing query:
      """
      MATCH (a:A) OPTIONAL MATCH (a)-[:K]->(b) RETURN a.n AS n, count(b) AS c ORDER BY n
      """
    Then the result should be, in order:
      | n | c |
      | 1 | 1 |
      | 2 | 0 |

  Scenario: [9] Patterns that share nothing are combined
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 30) AS i CREATE (:A {x: i}), (:B {x: i})
      """
    When executing query:
      """
      MATCH (a:A), (b:B) WHERE a.x = b.x RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n  |
      | 30 |

  Scenario: [10] Rows of maps seek by a property, and by id
    Given an empty graph
    And having executed:
      """
      CREATE CONSTRAINT a_id IF NOT EXISTS FOR (a:A) REQUIRE a.id IS UNIQUE
      """
    And having executed:
      """
      UNWIND range(1, 30) AS i CREATE (:A {id: i})
      """
    When executing query:
      """
      UNWIND [{a: 1, b: 2}, {a: 2, b: 30}, {a: 3, b: 31}, {a: null, b: 1}] AS r
      MATCH (a:A {id: r.a}), (b:A {id: r.b})
      RETURN a.id AS a, b.id AS b
      """
    Then the result should be, in any order:
      | a | b  |
      | 1 | 2  |
      | 2 | 30 |

  Scenario: [11] A key that fails is an error where there is a node to compare with
    Given an empty graph
    And having executed:
      """
      CREATE (:A {id: 1})
      """
    When executing query:
      """
      UNWIND [1, {id: 1}] AS r MATCH (a) WHERE id(a) = r.id RETURN a
      """
    Then a TypeError should be raised at runtime: *

  Scenario: [12] A key that fails is none where there is no such node
    Given an empty graph
    And having executed:
      """
      CREATE CONSTRAINT a_id IF NOT EXISTS FOR (a:A) REQUIRE a.id IS UNIQUE
      """
    And having executed:
      """
      CREATE (:B {id: 1})
      """
    When executing query:
      """
      UNWIND [1, {id: 1}] AS r MATCH (a:A {id: r.id}) RETURN a
      """
    Then the result should be, in any order:
      | a |
