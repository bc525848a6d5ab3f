/* base/check.h - what must hold, and the attributes that let the compiler hold it.
 *
 * KT_CHECK stays on in release builds and stops the process before it writes anything wrong.
 * KT_ASSERT is for hot paths: on in every build but release. Neither has side effects. */
#ifndef KT_BASE_CHECK_H
#define KT_BASE_CHECK_H

#define KT_MUST_CHECK __attribute__((warn_unused_result))
#define KT_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define KT_NORETURN __attribute__((noreturn))
#define KT_LIKELY(x) __builtin_expect(!!(x), 1)
#define KT_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define KT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Wider kernels, chosen at load time; only in kernel_*.c. Empty under TSan, where the resolvers
 * run before the runtime is ready, and under clang. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define KT_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define KT_CLONES
#endif

KT_NORETURN void kt_check_failed(const char *what, const char *file, int line);

#define KT_CHECK(cond) (KT_LIKELY(cond) ? (void)0 : kt_check_failed(#cond, __FILE__, __LINE__))
#ifdef NDEBUG
#define KT_ASSERT(cond) ((void)0)
#else
#define KT_ASSERT(cond) KT_CHECK(cond)
#endif

#endif
