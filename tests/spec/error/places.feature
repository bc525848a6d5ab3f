Feature: Errors say where

  Scenario: [1] An unknown variable
    Given any graph
    When executing query:
      """
      MATCH (n)
      RETURN m.x
      """
    Then a SyntaxError should be raised at compile time: UndefinedVariable
    And the error should stand at 2:8

  Scenario: [2] A clause that is not finished
    Given any graph
    When executing query:
      """
      MATCH (n RETURN n
      """
    Then a SyntaxError should be raised at compile time: UnexpectedSyntax
    And the error should stand at 1:10

  Scenario: [3] An unknown function
    Given any graph
    When executing query:
      """
      RETURN lenght([1])
      """
    Then a SyntaxError should be raised at compile time: UnknownFunction
    And the error should stand at 1:8

  Scenario: [4] A parameter that was not sent
    Given any graph
    When executing query:
      """
      RETURN $nobody
      """
    Then a ParameterMissing should be raised at compile time: MissingParameter
    And the error should stand at 1:8

  Scenario: [5] Columns count characters
    Given any graph
    When executing query:
      """
      RETURN 'äöü', x
      """
    Then a SyntaxError should be raised at compile time: UndefinedVariable
    And the error should stand at 1:15

  Scenario: [6] Temporal functions are known and not supported
    Given any graph
    When executing query:
      """
      RETURN date('2026-01-01')
      """
    Then a SyntaxError should be raised at compile time: *
    And the error should stand at 1:8

  Scenario: [7] A list that doubles itself is refused before it cannot be walked
    Given any graph
    When executing query:
      """
      WITH reduce(s = [1], x IN range(1, 45) | [s, s]) AS s RETURN s
      """
    Then a LimitExceeded should be raised at runtime: *

  Scenario: [8] So is a map, and comparing it
    Given any graph
    When executing query:
      """
      WITH reduce(s = {a: 1}, x IN range(1, 60) | {a: s, b: s}) AS s RETURN s = s
      """
    Then a LimitExceeded should be raised at runtime: *

  Scenario: [9] A list that is deep and thin is none of these
    Given any graph
    When executing query:
      """
      WITH reduce(s = [1], x IN range(1, 200) | [x, s]) AS s RETURN size(s) AS n, s = s AS same
      """
    Then the result should be, in any order:
      | n | same |
      | 2 | true |
