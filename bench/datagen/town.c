/* bench/datagen/town.c - town: a made-up town of people, where they live and work, and who knows whom.
 *
 * Writes DIR/people.csv (`id,name:string,city:string,employer:string,born:integer`) and DIR/friends.txt
 * (`a b weight`, each friendship once, weight between 0 and 1 with two places), as `kith import` reads them.
 * People arrive one after another and meet the friends of their friends (eight times of ten), somebody of
 * their own city or employer, or anybody: so there are triangles, hubs and short ways, as in real networks.
 * The same --people and --seed give the same bytes everywhere. */
#include "bench/datagen/graphgen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const given[] = {
    "Ada",       "Adrian", "Agnes",    "Aisha",   "Alan",     "Alba",   "Alexei",  "Alice",
    "Amara",     "Amir",   "Ana",      "Anders",  "Andrea",   "Anika",  "Anton",   "Aoife",
    "Arjun",     "Astrid", "Axel",     "Beatriz", "Benjamin", "Bianca", "Björn",   "Bruno",
    "Camille",   "Carlos", "Caroline", "Chen",    "Chiara",   "Chidi",  "Clara",   "Daniel",
    "Daria",     "David",  "Deniz",    "Diego",   "Dmitri",   "Dorota", "Eero",    "Elena",
    "Elias",     "Elif",   "Emeka",    "Emil",    "Emma",     "Enzo",   "Erik",    "Esther",
    "Eva",       "Fatima", "Felix",    "Fiona",   "Florian",  "Freya",  "Gabriel", "Georgia",
    "Gideon",    "Giulia", "Greta",    "Hana",    "Hannah",   "Haruto", "Hassan",  "Helena",
    "Henrik",    "Hugo",   "Ibrahim",  "Ida",     "Igor",     "Ines",   "Ingrid",  "Irene",
    "Isaac",     "Ivan",   "Jakob",    "Jana",    "Javier",   "Jin",    "Joana",   "Johan",
    "Jonas",     "Julia",  "Kai",      "Kamala",  "Karim",    "Katja",  "Kenji",   "Klara",
    "Lara",      "Lars",   "Laszlo",   "Leila",   "Leo",      "Lin",    "Linnea",  "Luca",
    "Lucia",     "Magnus", "Maja",     "Malik",   "Marek",    "Maria",  "Marta",   "Mateo",
    "Maya",      "Mei",    "Mikhail",  "Milan",   "Mina",     "Nadia",  "Naomi",   "Nikolai",
    "Nina",      "Noah",   "Nora",     "Olga",    "Oliver",   "Omar",   "Oskar",   "Paola",
    "Pavel",     "Petra",  "Priya",    "Quentin", "Rafael",   "Rania",  "Ravi",    "Renata",
    "Rosa",      "Ruben",  "Sakura",   "Samir",   "Sanna",    "Selma",  "Sergei",  "Sofia",
    "Stefan",    "Sunita", "Sven",     "Tamar",   "Tariq",    "Theo",   "Tomas",   "Ulrike",
    "Valentina", "Vera",   "Viktor",   "Wanda",   "Wei",      "Xavier", "Yara",    "Yusuf",
    "Zainab",    "Zofia",
};

static const char *const family[] = {
    "Abebe",     "Adeyemi",     "Ahmed",     "Almeida",   "Andersen",  "Aoki",      "Baker",
    "Balogun",   "Barbieri",    "Bauer",     "Becker",    "Bergström", "Bianchi",   "Bielak",
    "Brandt",    "Byrne",       "Campbell",  "Carvalho",  "Castillo",  "Chandra",   "Chaudhry",
    "Chen",      "Christensen", "Cohen",     "Collins",   "Costa",     "Dahl",      "Das",
    "Delgado",   "Demir",       "Diallo",    "Dimitrov",  "Doyle",     "Dubois",    "Duarte",
    "Eklund",    "Eriksen",     "Esposito",  "Farkas",    "Fernandes", "Ferrari",   "Fischer",
    "Fontaine",  "Forsberg",    "Fournier",  "Frank",     "Fuchs",     "Fujita",    "Gallo",
    "García",    "Gauthier",    "Georgiou",  "Gomes",     "Graf",      "Grant",     "Gruber",
    "Gupta",     "Haas",        "Haddad",    "Hansen",    "Hartmann",  "Hassan",    "Hayashi",
    "Hernandez", "Hoffmann",    "Holm",      "Horvat",    "Hughes",    "Iyer",      "Ivanov",
    "Jackson",   "Jansen",      "Jensen",    "Johansson", "Joshi",     "Kaplan",    "Karlsson",
    "Kaya",      "Keller",      "Khan",      "Kim",       "Klein",     "Kobayashi", "Koch",
    "Kovács",    "Kowalski",    "Krause",    "Kruger",    "Kumar",     "Lambert",   "Larsen",
    "Lehmann",   "Levi",        "Lewis",     "Li",        "Lindqvist", "Lombardi",  "Lopez",
    "Lund",      "Maier",       "Malik",     "Marino",    "Martin",    "Matsuda",   "Mbeki",
    "Melnyk",    "Mendes",      "Meyer",     "Mishra",    "Moreau",    "Moreno",    "Morita",
    "Müller",    "Murphy",      "Nair",      "Nakamura",  "Navarro",   "Nemeth",    "Nguyen",
    "Nielsen",   "Nilsson",     "Novak",     "Nowak",     "Nwosu",     "Oduya",     "Okafor",
    "Olsen",     "Ortega",      "Osei",      "Papadakis", "Park",      "Patel",     "Pereira",
    "Petrov",    "Popescu",     "Quinn",     "Rahman",    "Ramos",     "Rao",       "Reyes",
    "Ricci",     "Rossi",       "Roux",      "Ryan",      "Saito",     "Salazar",   "Santos",
    "Sato",      "Schmidt",     "Schneider", "Sharma",    "Silva",     "Singh",     "Soto",
    "Stewart",   "Suzuki",      "Svensson",  "Tanaka",    "Toth",      "Vasquez",   "Virtanen",
    "Vogel",     "Wagner",      "Walsh",     "Wang",      "Weber",     "Wolf",      "Wright",
    "Yamada",    "Yilmaz",      "Zhang",
};

static const char *const city[] = {
    "Aldermoor", "Brackwater", "Castlebridge", "Dunhaven",  "Eastmere",
    "Fernhill",  "Goldwick",   "Harrowgate",   "Ironford",  "Kestrel Bay",
    "Larkstead", "Millbrook",  "Northam",      "Oakhurst",  "Port Ellis",
    "Quayside",  "Ravenscar",  "Silverlake",   "Thornbury", "Westerfield",
};

static const char *const trade[] = {
    "Analytics", "Architects", "Bakery",     "Bank",     "Books",       "Brewery",
    "Ceramics",  "Clinic",     "Consulting", "Energy",   "Engineering", "Films",
    "Foods",     "Gardens",    "Insurance",  "Labs",     "Law",         "Logistics",
    "Motors",    "Optics",     "Pharma",     "Printing", "Robotics",    "Shipyard",
    "Software",  "Studio",     "Textiles",   "Timber",   "Travel",      "Works",
};

static const char *const house[] = {"Alder", "Beacon", "Cobalt", "Delta", "Ember", "Fjord"};

enum {
    CITIES = KT_COUNT(city),
    EMPLOYERS = KT_COUNT(trade) * KT_COUNT(house),
    FRIENDS_LEAST = 3, /* that a newcomer looks for */
    FRIENDS_MORE = 9,
    TRIES = 40, /* for one friend, before giving up */
};

typedef struct Person {
    uint32_t given, family, city, employer, born;
    uint32_t *friend;
    uint32_t friends, room;
} Person;

/* Who lives in a city, or works for an employer, in the order of arrival. */
typedef struct Circle {
    uint32_t *member;
    uint32_t n, room;
} Circle;

typedef struct Town {
    KtRandom random;
    Person *person;
    uint32_t people;
    Circle city[CITIES], employer[EMPLOYERS];
} Town;

static bool push(uint32_t **list, uint32_t *n, uint32_t *room, uint32_t value)
{
    if (*n == *room) {
        uint32_t more = *room ? *room * 2 : 8;
        uint32_t *grown = realloc(*list, (size_t)more * sizeof *grown);
        if (!grown)
            return false;
        *list = grown;
        *room = more;
    }
    (*list)[(*n)++] = value;
    return true;
}

static bool knows(const Person *person, uint32_t other)
{
    for (uint32_t i = 0; i < person->friends; i++)
        if (person->friend[i] == other)
            return true;
    return false;
}

static bool befriend(Town *town, uint32_t a, uint32_t b)
{
    Person *one = &town->person[a], *two = &town->person[b];
    return push(&one->friend, &one->friends, &one->room, b) &&
           push(&two->friend, &two->friends, &two->room, a);
}

static uint32_t skewed(KtRandom *random, uint32_t n)
{
    double u = kt_random_unit(random);
    return (uint32_t)((double)n * (u * u));
}

/* Somebody whom `a`, the newest, may meet; may be `a` or an old friend, which the caller sees. */
static uint32_t meet(Town *town, uint32_t a)
{
    KtRandom *random = &town->random;
    const Person *person = &town->person[a];
    uint32_t dice = kt_random_below(random, 100);
    if (dice < 80 && person->friends > 0) {
        const Person *via = &town->person[person->friend[kt_random_below(random, person->friends)]];
        return via->friend[kt_random_below(random, via->friends)];
    }
    const Circle *circle = dice % 2 ? &town->employer[person->employer] : &town->city[person->city];
    if (dice < 95 && circle->n > 0)
        return circle->member[kt_random_below(random, circle->n)];
    return kt_random_below(random, a + 1);
}

static bool arrive(Town *town, uint32_t a)
{
    KtRandom *random = &town->random;
    Person *person = &town->person[a];
    person->given = kt_random_below(random, KT_COUNT(given));
    person->family = kt_random_below(random, KT_COUNT(family));
    person->city = skewed(random, CITIES);
    person->employer = skewed(random, EMPLOYERS);
    person->born = 1945 + kt_random_below(random, 60);
    uint32_t wanted = FRIENDS_LEAST + kt_random_below(random, FRIENDS_MORE);
    if (wanted > a)
        wanted = a;
    for (uint32_t tries = TRIES * wanted; person->friends < wanted && tries > 0; tries--) {
        uint32_t b = meet(town, a);
        if (b != a && !knows(person, b) && !befriend(town, a, b))
            return false;
    }
    Circle *home = &town->city[person->city], *work = &town->employer[person->employer];
    return push(&home->member, &home->n, &home->room, a) &&
           push(&work->member, &work->n, &work->room, a);
}

static FILE *create(const char *dir, const char *name, char *path, size_t room)
{
    int n = snprintf(path, room, "%s/%s", dir, name);
    FILE *file = n > 0 && (size_t)n < room ? fopen(path, "w") : NULL;
    if (!file)
        (void)fprintf(stderr, "town: cannot write %s/%s: %s\n", dir, name, strerror(errno));
    return file;
}

static bool finish(FILE *file, const char *path)
{
    bool ok = ferror(file) == 0;
    ok = fclose(file) == 0 && ok;
    if (!ok)
        (void)fprintf(stderr, "town: writing %s failed: %s\n", path, strerror(errno));
    return ok;
}

static bool write_people(const Town *town, const char *dir)
{
    char path[4096];
    FILE *file = create(dir, "people.csv", path, sizeof path);
    if (!file)
        return false;
    (void)fputs("id,name:string,city:string,employer:string,born:integer\n", file);
    for (uint32_t i = 0; i < town->people; i++) {
        const Person *p = &town->person[i];
        (void)fprintf(file, "%u,%s %s,%s,%s %s,%u\n", i, given[p->given], family[p->family],
                      city[p->city], house[p->employer % KT_COUNT(house)],
                      trade[p->employer / KT_COUNT(house)], p->born);
    }
    return finish(file, path);
}

/* How well two know each other: more with the same city and employer, never 0. */
static uint32_t weight(Town *town, uint32_t a, uint32_t b)
{
    const Person *one = &town->person[a], *two = &town->person[b];
    uint32_t percent = 5 + kt_random_below(&town->random, 55);
    percent += one->city == two->city ? 15 : 0;
    percent += one->employer == two->employer ? 20 : 0;
    return percent;
}

static bool write_friends(Town *town, const char *dir, uint64_t *friendships)
{
    char path[4096];
    FILE *file = create(dir, "friends.txt", path, sizeof path);
    if (!file)
        return false;
    (void)fputs("# who knows whom, and how well (0 to 1); each friendship once\n", file);
    for (uint32_t a = 0; a < town->people; a++) {
        const Person *person = &town->person[a];
        for (uint32_t i = 0; i < person->friends; i++) {
            uint32_t b = person->friend[i];
            if (b > a)
                continue;
            (void)fprintf(file, "%u %u 0.%02u\n", a, b, weight(town, a, b));
            (*friendships)++;
        }
    }
    return finish(file, path);
}

static int usage(void)
{
    (void)fputs("usage: town [--people N] [--seed S] --out DIR\n", stderr);
    return 2;
}

static bool number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || v > most)
        return false;
    *out = v;
    return true;
}

static void town_close(Town *town)
{
    for (uint32_t i = 0; town->person && i < town->people; i++)
        free(town->person[i].friend);
    for (uint32_t i = 0; i < CITIES; i++)
        free(town->city[i].member);
    for (uint32_t i = 0; i < EMPLOYERS; i++)
        free(town->employer[i].member);
    free(town->person);
}

int main(int argc, char **argv)
{
    uint64_t people = 10000, seed = 1, friendships = 0;
    const char *out = NULL;
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool ok = value != NULL;
        if (ok && strcmp(name, "--people") == 0)
            ok = number(value, 10000000, &people) && people > 0;
        else if (ok && strcmp(name, "--seed") == 0)
            ok = number(value, UINT64_MAX, &seed);
        else if (ok && strcmp(name, "--out") == 0)
            out = value;
        else
            ok = false;
        if (!ok)
            return usage();
    }
    if (!out)
        return usage();
    Town town = {.people = (uint32_t)people, .person = calloc(people, sizeof(Person))};
    kt_random_seed(&town.random, seed);
    bool ok = town.person != NULL;
    for (uint32_t a = 0; ok && a < town.people; a++)
        ok = arrive(&town, a);
    if (!ok)
        (void)fputs("town: out of memory\n", stderr);
    ok = ok && write_people(&town, out) && write_friends(&town, out, &friendships);
    if (ok)
        printf("%u people, %llu friendships\n", town.people, (unsigned long long)friendships);
    town_close(&town);
    return ok ? 0 : 1;
}
