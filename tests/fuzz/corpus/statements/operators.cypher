RETURN 1 < 2 <= 3 <> 4, NOT true XOR false OR null AND $q, -2 ^ 2 % 3 / 4 * 5 - +6, 'a' STARTS WITH 'b' IN [true] IS NULL, 'x' =~ '.*',
reduce(s = 0, x IN range(1, 3) | s + x), any(x IN [1] WHERE x > 0), none(x IN [] WHERE x), `a b`.`c``d`
