Feature: ORDER BY, SKIP, LIMIT

  Scenario: [1] Order across kinds
    Given any graph
    When executing query:
      """
      UNWIND [true, null, 1.5, 'a', 1, [1], {a: 1}, false] AS x RETURN x ORDER BY x
      """
    Then the result should be, in order:
      | x      |
      | {a: 1} |
      | [1]    |
      | 'a'    |
      | false  |
      | true   |
      | 1      |
      | 1.5    |
      | null   |

  Scenario: [2] Equal keys keep the order in which they came
    Given any graph
    When executing query:
      """
      UNWIND [[2, 'a'], [1, 'b'], [2, 'c'], [1, 'd']] AS x RETURN x[1] AS v ORDER BY x[0]
      """
    Then the result should be, in order:
      | v   |
      | 'b' |
      | 'd' |
      | 'a' |
      | 'c' |

  Scenario: [3] The top of many
    Given any graph
    When executing query:
      """
      UNWIND range(1, 5000) AS x RETURN x ORDER BY x % 1000 DESC, x SKIP 2 LIMIT 3
      """
    Then the result should be, in order:
      | x    |
      | 2999 |
      | 3999 |
      | 4999 |
    And the plan should show: TopN

  Scenario: [4] LIMIT hides an error behind it
    Given any graph
    When executing query:
      """
      UNWIND [1, 2, 0] AS x RETURN 6 / x AS y LIMIT 2
      """
    Then the result should be, in order:
      | y |
      | 6 |
      | 3 |

  Scenario: [5] Without LIMIT it fails
    Given any graph
    When executing query:
      """
      UNWIND [1, 2, 0] AS x RETURN 6 / x AS y
      """
    Then an ArithmeticError should be raised at runtime: DivisionByZero

  Scenario: [6] LIMIT 0 still writes
    Given an empty graph
    When executing query:
      """
      CREATE (n:A) RETURN n LIMIT 0
      """
    Then the result should be, in any order:
      | n |
    And the side effects should be:
      | +nodes  | 1 |
      | +labels | 1 |

  Scenario: [7] LIMIT by a parameter
    Given any graph
    And parameters are:
      | n | 2 |
    When executing query:
      """
      UNWIND range(1, 9) AS x RETURN x LIMIT $n
      """
    Then the result should be, in order:
      | x |
      | 1 |
      | 2 |
