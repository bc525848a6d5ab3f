Feature: Indexes and unique constraints

  Scenario: [1] An index is used by an equality and by a range
    Given an empty graph
    And having executed:
      """
      UNWIND range(1, 100) AS i CREATE (:P {x: i})
      """
    And having executed:
      """
      CREATE INDEX by_x IF NOT EXISTS FOR (p:P) ON (p.x)
      """
    When executing query:
      """
      MATCH (p:P) WHERE p.x = 42 RETURN p.x AS x
      """
    Then the result should be, in any order:
      | x  |
      | 42 |
    And the plan should show: SeekIndex p by index by_x
    When executing control query:
      """
      MATCH (p:P) WHERE p.x > 97 RETURN p.x AS x
      """
    Then the result should be, in any order:
      | x   |
      | 98  |
      | 99  |
      | 100 |

  Scenario: [2] 1 and 1.0 are the same key
    Given an empty graph
    And having executed:
      """
      CREATE (:P {x: 1}), (:P {x: 1.0}), (:P {x: '1'})
      """
    And having executed:
      """
      CREATE INDEX by_x FOR (p:P) ON (p.x)
      """
    When executing query:
      """
      MATCH (p:P {x: 1}) RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n |
      | 2 |

  Scenario: [3] A unique constraint refuses a second one
    Given an empty graph
    And having executed:
      """
      CREATE CONSTRAINT one_id IF NOT EXISTS FOR (p:P) REQUIRE p.id IS UNIQUE
      """
    And having executed:
      """
      CREATE (:P {id: 7})
      """
    When executing query:
      """
      CREATE (:P {id: 7})
      """
    Then a ConstraintValidationFailed should be raised at runtime: *
    And no side effects

  Scenario: [4] Within one statement too
    Given an empty graph
    And having executed:
      """
      CREATE CONSTRAINT one_id FOR (p:P) REQUIRE p.id IS UNIQUE
      """
    When executing query:
      """
      CREATE (:P {id: 7}), (:P {id: 7.0})
      """
    Then a ConstraintValidationFailed should be raised at runtime: *
    And no side effects

  Scenario: [5] Own writes are found through the index
    Given an empty graph
    And having executed:
      """
      CREATE INDEX by_x FOR (p:P) ON (p.x)
      """
    When executing query:
      """
      CREATE (:P {x: 1}) WITH 1 AS one MATCH (p:P {x: one}) RETURN count(p) AS n
      """
    Then the result should be, in any order:
      | n |
      | 1 |

  Scenario: [6] A long string is found, and only the right one
    Given an empty graph
    And having executed:
      """
      UNWIND ['a', 'b'] AS end CREATE (:P {x: reduce(s = '', i IN range(1, 300) | s + 'x') + end})
      """
    And having executed:
      """
      CREATE INDEX by_x FOR (p:P) ON (p.x)
      """
    When executing query:
      """
      WITH reduce(s = '', i IN range(1, 300) | s + 'x') + 'b' AS want MATCH (p:P) WHERE p.x = want RETURN right(p.x, 1) AS last
      """
    Then the result should be, in any order:
      | last |
      | 'b'  |

  Scenario: [7] Creating twice is an error unless told
    Given an empty graph
    And having executed:
      """
      CREATE INDEX by_x FOR (p:P) ON (p.x)
      """
    And having executed:
      """
      CREATE INDEX by_x IF NOT EXISTS FOR (p:P) ON (p.x)
      """
    When executing query:
      """
      SHOW INDEXES
      """
    Then the result should be, in any order:
      | name   | state    | type    | entityType | labelsOrTypes | properties | owningConstraint |
      | 'by_x' | 'ONLINE' | 'RANGE' | 'NODE'     | ['P']         | ['x']      | null             |

  Scenario: [8] A constraint that the data breaks is not made
    Given an empty graph
    And having executed:
      """
      CREATE (:P {id: 1}), (:P {id: 1})
      """
    When executing query:
      """
      CREATE CONSTRAINT one_id FOR (p:P) REQUIRE p.id IS UNIQUE
      """
    Then a ConstraintValidationFailed should be raised at runtime: *
    When executing control query:
      """
      SHOW CONSTRAINTS
      """
    Then the result should be, in any order:
      | name | type | entityType | labelsOrTypes | properties |

  Scenario: [9] After DROP a scan answers
    Given an empty graph
    And having executed:
      """
      CREATE (:P {x: 1})
      """
    And having executed:
      """
      CREATE INDEX by_x FOR (p:P) ON (p.x)
      """
    And having executed:
      """
      DROP INDEX by_x
      """
    When executing query:
      """
      MATCH (p:P {x: 1}) RETURN count(*) AS n
      """
    Then the result should be, in any order:
      | n |
      | 1 |
    And the plan should show: ScanLabel
