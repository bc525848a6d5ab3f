/* query/parse/parse_expr.c - expressions, by precedence climbing.
 *
 * openCypher's order, from the loosest: OR, XOR, AND, NOT, comparison, predicate (IN, STARTS WITH, IS NULL...),
 * + -, * / %, ^, sign, and what follows an atom. Operators of one level make one flat chain, so that a million
 * ANDs cost no stack. What is left to nest is counted twice: `nesting` bounds the recursion here, the depth of
 * each node bounds all later walks. */
#include "query/parse/parse_internal.h"

typedef enum Level {
    LEVEL_NONE,
    LEVEL_OR,
    LEVEL_XOR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_PREDICATE,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_POWER,
    LEVEL_SIGN,
} Level;

static KtStatus level(KtParser *p, Level least, const KtAstExpr **out);

/* ---- what follows an atom ---- */

static KtStatus subscript(KtParser *p, uint32_t first, const KtAstExpr *of, const KtAstExpr **out)
{
    const KtAstExpr *from = NULL, *to = NULL;
    p->at++;
    KT_TRY(kt_parse_enter(p));
    if (!kt_parse_is(p, KT_LEX_DOTS))
        KT_TRY(kt_parse_expr(p, &from));
    bool slice = kt_parse_take(p, KT_LEX_DOTS);
    if (slice && !kt_parse_is(p, KT_LEX_RBRACKET))
        KT_TRY(kt_parse_expr(p, &to));
    KT_TRY(kt_parse_expect(p, KT_LEX_RBRACKET,
                           slice ? "an operator or ']'" : "an operator, '..' or ']'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(kt_parse_make(p, slice ? KT_AST_SLICE : KT_AST_INDEX, first, &e));
    if (slice) {
        e->as.slice.of = of;
        e->as.slice.from = from;
        e->as.slice.to = to;
    } else {
        e->as.binary.left = of;
        e->as.binary.right = from;
    }
    *out = e;
    return KT_OK;
}

static KtStatus postfix(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at;
    const KtAstExpr *left;
    KT_TRY(kt_parse_atom(p, &left));
    for (;;) {
        KtAstExpr *e;
        if (kt_parse_take(p, KT_LEX_DOT)) {
            KtAstName name;
            KT_TRY(kt_parse_name(p, "a property key after '.'", &name));
            KT_TRY(kt_parse_make(p, KT_AST_PROPERTY, first, &e));
            e->as.property.of = left;
            KT_TRY(kt_parse_keep_name(p, name, &e->as.property.name));
            left = e;
        } else if (kt_parse_is(p, KT_LEX_LBRACKET)) {
            KT_TRY(subscript(p, first, left, &left));
        } else if (kt_parse_is(p, KT_LEX_COLON)) {
            KtAstNames names;
            KT_TRY(kt_parse_labels(p, &names));
            KT_TRY(kt_parse_make(p, KT_AST_LABELS, first, &e));
            e->as.labels.of = left;
            e->as.labels.names = names;
            left = e;
        } else {
            *out = left;
            return KT_OK;
        }
    }
}

/* ---- operators ---- */

static KtStatus unary(KtParser *p, KtAstExprKind kind, uint32_t first, const KtAstExpr *of,
                      const KtAstExpr **out)
{
    KtAstExpr *e;
    KT_TRY(kt_parse_make(p, kind, first, &e));
    e->as.unary = of;
    *out = e;
    return KT_OK;
}

/* A number that stands alone takes its minus in, so that -9223372036854775808 can be said. */
static bool at_negative_literal(const KtParser *p)
{
    uint8_t number_kind = kt_parse_peek(p, 1)->kind, behind = kt_parse_peek(p, 2)->kind;
    return (number_kind == KT_LEX_INTEGER || number_kind == KT_LEX_FLOAT) && behind != KT_LEX_DOT &&
           behind != KT_LEX_LBRACKET && behind != KT_LEX_COLON;
}

static KtStatus prefix(KtParser *p, Level least, const KtAstExpr **out)
{
    uint32_t first = p->at;
    const KtAstExpr *of;
    bool minus = kt_parse_is(p, KT_LEX_MINUS), plus = kt_parse_is(p, KT_LEX_PLUS);
    if (minus && at_negative_literal(p)) {
        p->at++;
        return kt_parse_number(p, first, true, out);
    }
    if (minus || plus) {
        p->at++;
        KT_TRY(kt_parse_enter(p));
        KT_TRY(level(p, LEVEL_SIGN, &of));
        kt_parse_leave(p);
        return unary(p, minus ? KT_AST_MINUS : KT_AST_PLUS, first, of, out);
    }
    if (kt_parse_is_word(p, KT_WORD_NOT) && least <= LEVEL_NOT) {
        p->at++;
        KT_TRY(kt_parse_enter(p));
        KT_TRY(level(p, LEVEL_NOT, &of));
        kt_parse_leave(p);
        return unary(p, KT_AST_NOT, first, of, out);
    }
    return postfix(p, out);
}

/* The level of the operator that comes next, and which one of its level it is. */
static Level operator_level(const KtParser *p, KtAstOp *op)
{
    const KtLexeme *lexeme = kt_parse_peek(p, 0);
    *op = KT_AST_OP_NONE;
    switch (lexeme->kind) {
    case KT_LEX_EQ: *op = KT_AST_OP_EQ; return LEVEL_COMPARE;
    case KT_LEX_NE: *op = KT_AST_OP_NE; return LEVEL_COMPARE;
    case KT_LEX_LT: *op = KT_AST_OP_LT; return LEVEL_COMPARE;
    case KT_LEX_LE: *op = KT_AST_OP_LE; return LEVEL_COMPARE;
    case KT_LEX_GT: *op = KT_AST_OP_GT; return LEVEL_COMPARE;
    case KT_LEX_GE: *op = KT_AST_OP_GE; return LEVEL_COMPARE;
    case KT_LEX_PLUS: *op = KT_AST_OP_PLUS; return LEVEL_ADD;
    case KT_LEX_MINUS: *op = KT_AST_OP_MINUS; return LEVEL_ADD;
    case KT_LEX_STAR: *op = KT_AST_OP_TIMES; return LEVEL_MULTIPLY;
    case KT_LEX_SLASH: *op = KT_AST_OP_DIVIDE; return LEVEL_MULTIPLY;
    case KT_LEX_PERCENT: *op = KT_AST_OP_MODULO; return LEVEL_MULTIPLY;
    case KT_LEX_CARET: return LEVEL_POWER;
    case KT_LEX_MATCHES: return LEVEL_PREDICATE;
    case KT_LEX_NAME: break;
    default: return LEVEL_NONE;
    }
    switch (lexeme->word) {
    case KT_WORD_OR: return LEVEL_OR;
    case KT_WORD_XOR: return LEVEL_XOR;
    case KT_WORD_AND: return LEVEL_AND;
    case KT_WORD_IN:
    case KT_WORD_IS:
    case KT_WORD_STARTS:
    case KT_WORD_ENDS:
    case KT_WORD_CONTAINS: return LEVEL_PREDICATE;
    default: return LEVEL_NONE;
    }
}

static KtAstExprKind chain_kind(Level of)
{
    switch (of) {
    case LEVEL_OR: return KT_AST_OR;
    case LEVEL_XOR: return KT_AST_XOR;
    case LEVEL_AND: return KT_AST_AND;
    case LEVEL_COMPARE: return KT_AST_COMPARE;
    case LEVEL_ADD: return KT_AST_ADD;
    case LEVEL_MULTIPLY: return KT_AST_MULTIPLY;
    case LEVEL_POWER: return KT_AST_POWER;
    case LEVEL_NONE:
    case LEVEL_NOT:
    case LEVEL_PREDICATE:
    case LEVEL_SIGN: break;
    }
    KT_CHECK(!"a level with chains");
    return KT_AST_OR;
}

/* All operators of level `of` that follow `left`, as one node. */
static KtStatus chain(KtParser *p, Level of, uint32_t first, const KtAstExpr *left,
                      const KtAstExpr **out)
{
    KtGrowing items = {0}, ops = {0};
    uint8_t op = KT_AST_OP_NONE;
    KT_TRY(kt_parse_push(p, &items, &left, sizeof left));
    KT_TRY(kt_parse_push(p, &ops, &op, sizeof op));
    KtAstOp which;
    while (operator_level(p, &which) == of) {
        const KtAstExpr *right;
        p->at++;
        KT_TRY(level(p, (Level)(of + 1), &right));
        op = (uint8_t)which;
        KT_TRY(kt_parse_push(p, &items, &right, sizeof right));
        KT_TRY(kt_parse_push(p, &ops, &op, sizeof op));
    }
    KtAstExpr *e;
    KT_TRY(kt_parse_make(p, chain_kind(of), first, &e));
    e->as.chain.n = items.n;
    *out = e;
    KT_TRY(kt_parse_finish(p, &items, sizeof left, &e->as.chain.item));
    return kt_parse_finish(p, &ops, sizeof op, &e->as.chain.op);
}

static KtStatus predicate(KtParser *p, uint32_t first, const KtAstExpr *left, const KtAstExpr **out)
{
    KtAstExprKind kind;
    KtWord w = (KtWord)kt_parse_peek(p, 0)->word;
    p->at++;
    if (w == KT_WORD_IS) {
        kind = kt_parse_take_word(p, KT_WORD_NOT) ? KT_AST_IS_NOT_NULL : KT_AST_IS_NULL;
        KT_TRY(kt_parse_expect_word(p, KT_WORD_NULL,
                                    kind == KT_AST_IS_NULL ? "NULL or NOT NULL after IS"
                                                           : "NULL after IS NOT"));
        return unary(p, kind, first, left, out);
    }
    if (w == KT_WORD_IN)
        kind = KT_AST_IN;
    else if (w == KT_WORD_CONTAINS)
        kind = KT_AST_CONTAINS;
    else if (w != KT_WORD_STARTS && w != KT_WORD_ENDS)
        kind = KT_AST_MATCHES;
    else {
        kind = w == KT_WORD_STARTS ? KT_AST_STARTS_WITH : KT_AST_ENDS_WITH;
        KT_TRY(kt_parse_expect_word(p, KT_WORD_WITH, "WITH"));
    }
    const KtAstExpr *right;
    KT_TRY(level(p, LEVEL_ADD, &right));
    KtAstExpr *e;
    KT_TRY(kt_parse_make(p, kind, first, &e));
    e->as.binary.left = left;
    e->as.binary.right = right;
    *out = e;
    return KT_OK;
}

/* An expression of operators that bind at least as tightly as `least`. */
static KtStatus level(KtParser *p, Level least, const KtAstExpr **out)
{
    uint32_t first = p->at, outside = p->deepest;
    p->deepest = 0;
    const KtAstExpr *left;
    KT_TRY(prefix(p, least, &left));
    KtAstOp op;
    Level next;
    while ((next = operator_level(p, &op)) != LEVEL_NONE && next >= least) {
        if (next == LEVEL_PREDICATE)
            KT_TRY(predicate(p, first, left, &left));
        else
            KT_TRY(chain(p, next, first, left, &left));
    }
    if (p->deepest < outside)
        p->deepest = outside;
    *out = left;
    return KT_OK;
}

/* ---- doors ---- */

KtStatus kt_parse_expr(KtParser *p, const KtAstExpr **out) { return level(p, LEVEL_OR, out); }

KtStatus kt_parse_exprs(KtParser *p, KtAstExprs *out)
{
    KtGrowing items = {0};
    do {
        const KtAstExpr *one;
        KT_TRY(kt_parse_expr(p, &one));
        KT_TRY(kt_parse_push(p, &items, &one, sizeof one));
    } while (kt_parse_take(p, KT_LEX_COMMA));
    out->n = items.n;
    return kt_parse_finish(p, &items, sizeof(const KtAstExpr *), &out->item);
}

/* Depth counts anew inside, and what is outside keeps the greater of the two. */
static KtStatus apart(KtParser *p, KtStatus (*parse)(KtParser *, const KtAstExpr **),
                      const KtAstExpr **out)
{
    uint32_t outside = p->deepest;
    p->deepest = 0;
    KT_TRY(parse(p, out));
    if (p->deepest < outside)
        p->deepest = outside;
    return KT_OK;
}

KtStatus kt_parse_target(KtParser *p, const KtAstExpr **out) { return apart(p, postfix, out); }

KtStatus kt_parse_props(KtParser *p, const KtAstExpr **out)
{
    *out = NULL;
    bool any = kt_parse_is(p, KT_LEX_LBRACE) || kt_parse_is(p, KT_LEX_PARAMETER);
    return any ? apart(p, kt_parse_atom, out) : KT_OK;
}
