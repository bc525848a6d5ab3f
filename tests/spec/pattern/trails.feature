Feature: Trails - a relationship is used once in a match

  Scenario: [1] Two hops do not go back over the same relationship
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {n: 1}), (b:P {n: 2}), (a)-[:K]->(b)
      """
    When executing query:
      """
      MATCH (x)--(y)--(z) RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n |
      | 0 |

  Scenario: [2] Parallel relationships are two
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {n: 1}), (b:P {n: 2}), (a)-[:K]->(b), (a)-[:K]->(b)
      """
    When executing query:
      """
      MATCH (x)--(y)--(z) RETURN x.n AS x, y.n AS y, z.n AS z
      """
    Then the result should be, in any order:
      | x | y | z |
      | 1 | 2 | 1 |
      | 1 | 2 | 1 |
      | 2 | 1 | 2 |
      | 2 | 1 | 2 |

  Scenario: [3] A self-loop counts once in an undirected hop
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {n: 1})-[:K]->(a)
      """
    When executing query:
      """
      MATCH (x)-[r]-(y) RETURN count(r) AS n
      """
    Then the result should be, in any order:
      | n |
      | 1 |

  Scenario: [4] A self-loop cannot be walked twice
    Given an empty graph
    And having executed:
      """
      CREATE (a:P {n: 1})-[:K]->(a), (a)-[:K]->(:P {n: 2})
      """
    When executing query:
      """
      MATCH (x)-[r]->(y)-[q]->(z) RETURN x.n AS x, y.n AS y, z.n AS z
      """
    Then the result should be, in any order:
      | x | y | z |
      | 1 | 1 | 2 |

  Scenario: [5] Counting three hops subtracts what repeats
    Given an empty graph
    And having executed:
      """
      CREATE (a:P)-[:K]->(a), (a)-[:K]->(b:P), (b)-[:K]->(a), (b)-[:K]->(b)
      """
    When executing query:
      """
      MATCH ()-->()-->()-->() RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n |
      | 8 |
    And the plan should show: ExpandDegree

  Scenario: [6] The same count without the fold
    Given an empty graph
    And having executed:
      """
      CREATE (a:P)-[:K]->(a), (a)-[:K]->(b:P), (b)-[:K]->(a), (b)-[:K]->(b)
      """
    When executing query:
      """
      MATCH ()-->()-->()-[r]->(x) RETURN count(x) AS n
      """
    Then the result should be, in any order:
      | n |
      | 8 |

  Scenario: [7] Different MATCH clauses may use the same relationship
    Given an empty graph
    And having executed:
      """
      CREATE (:P)-[:K]->(:P)
      """
    When executing query:
      """
      MATCH (a)-->(b) MATCH (b)<--(c) RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n |
      | 1 |

  Scenario: [8] Variable length walks trails, over loops and parallel relationships
    Given an empty graph
    And having executed:
      """
      CREATE (a:S)-[:K]->(b:P), (a)-[:K]->(b), (b)-[:K]->(b)
      """
    When executing query:
      """
      MATCH (:S)-[rs*1..4]->(x) RETURN size(rs) AS n, count(*) AS c
      """
    Then the result should be, in any order:
      | n | c |
      | 1 | 2 |
      | 2 | 2 |

  Scenario: [9] Distinct ends need one visit each
    Given an empty graph
    And having executed:
      """
      CREATE (s:S), (a:P {n: 1}), (b:P {n: 2}), (c:P {n: 3}),
             (s)-[:K]->(a), (s)-[:K]->(b), (a)-[:K]->(c), (b)-[:K]->(c), (c)-[:K]->(s)
      """
    When executing query:
      """
      MATCH (s:S)-[:K*1..5]->(x) RETURN count(DISTINCT x) AS n
      """
    Then the result should be, in any order:
      | n |
      | 4 |
    And the plan should show: distinct ends only

  Scenario: [10] The start is not reached again over one relationship twice
    Given an empty graph
    And having executed:
      """
      CREATE (s:S)-[:K]->(:P)
      """
    When executing query:
      """
      MATCH (s:S)-[:K*1..4]-(x) RETURN count(DISTINCT x) AS n
      """
    Then the result should be, in any order:
      | n |
      | 1 |

  Scenario: [11] A triangle is found three times two, and once in order
    Given an empty graph
    And having executed:
      """
      CREATE (a:P), (b:P), (c:P), (d:P), (a)-[:K]->(b), (b)-[:K]->(c), (c)-[:K]->(a), (c)-[:K]->(d)
      """
    When executing query:
      """
      MATCH (a)--(b)--(c)--(a) WHERE id(a) < id(b) AND id(b) < id(c) RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n |
      | 1 |
