/* SPDX-License-Identifier: Apache-2.0
 * How a hand writes each digit: the strokes of its variants. */
#include "generator/synthetic_shapes.h"

#include <assert.h>

#define N_KNOTS(knots) (sizeof(knots) / sizeof((knots)[0]))

static const struct knot zero_round[] = {
    {52, 0, KNOT_START},   {24, 11, KNOT_SMOOTH}, {6, 42, KNOT_SMOOTH},  {10, 76, KNOT_SMOOTH},
    {38, 99, KNOT_SMOOTH}, {72, 92, KNOT_SMOOTH}, {94, 60, KNOT_SMOOTH}, {88, 22, KNOT_SMOOTH},
    {64, 2, KNOT_SMOOTH},  {46, 1, KNOT_SMOOTH}};
static const struct knot zero_overlap[] = {
    {66, 6, KNOT_START},   {34, 8, KNOT_SMOOTH},  {8, 36, KNOT_SMOOTH},  {6, 72, KNOT_SMOOTH},
    {32, 98, KNOT_SMOOTH}, {70, 94, KNOT_SMOOTH}, {94, 58, KNOT_SMOOTH}, {84, 20, KNOT_SMOOTH},
    {56, 2, KNOT_SMOOTH},  {30, 14, KNOT_SMOOTH}};
static const struct knot one_plain[] = {
    {50, 0, KNOT_START}, {50, 50, KNOT_SMOOTH}, {50, 100, KNOT_SMOOTH}};
static const struct knot one_flag[] = {
    {28, 24, KNOT_START}, {56, 0, KNOT_CORNER}, {55, 50, KNOT_SMOOTH}, {54, 100, KNOT_SMOOTH}};
static const struct knot one_base[] = {{28, 22, KNOT_START},  {54, 0, KNOT_CORNER},
                                       {54, 50, KNOT_SMOOTH}, {54, 98, KNOT_SMOOTH},
                                       {24, 99, KNOT_START},  {82, 98, KNOT_SMOOTH}};
static const struct knot two_plain[] = {
    {14, 22, KNOT_START},  {34, 2, KNOT_SMOOTH},  {66, 2, KNOT_SMOOTH},  {82, 24, KNOT_SMOOTH},
    {66, 52, KNOT_SMOOTH}, {10, 97, KNOT_CORNER}, {50, 94, KNOT_SMOOTH}, {96, 94, KNOT_SMOOTH}};
static const struct knot two_loop[] = {
    {12, 20, KNOT_START},  {38, 0, KNOT_SMOOTH},  {72, 8, KNOT_SMOOTH}, {74, 36, KNOT_SMOOTH},
    {46, 72, KNOT_SMOOTH}, {16, 96, KNOT_SMOOTH}, {4, 82, KNOT_SMOOTH}, {26, 70, KNOT_SMOOTH},
    {60, 90, KNOT_SMOOTH}, {98, 92, KNOT_SMOOTH}};
static const struct knot three_round[] = {
    {14, 12, KNOT_START},  {46, 0, KNOT_SMOOTH},  {80, 14, KNOT_SMOOTH},
    {68, 38, KNOT_SMOOTH}, {38, 48, KNOT_CORNER}, {74, 54, KNOT_SMOOTH},
    {86, 78, KNOT_SMOOTH}, {56, 99, KNOT_SMOOTH}, {10, 90, KNOT_SMOOTH}};
static const struct knot three_angular[] = {
    {12, 4, KNOT_START},   {46, 3, KNOT_SMOOTH},  {84, 2, KNOT_CORNER},  {44, 42, KNOT_CORNER},
    {80, 54, KNOT_SMOOTH}, {86, 80, KNOT_SMOOTH}, {52, 99, KNOT_SMOOTH}, {10, 92, KNOT_SMOOTH}};
static const struct knot four_open[] = {
    {18, 2, KNOT_START}, {10, 44, KNOT_SMOOTH}, {28, 56, KNOT_SMOOTH}, {82, 48, KNOT_SMOOTH},
    {86, 0, KNOT_START}, {76, 50, KNOT_SMOOTH}, {70, 100, KNOT_SMOOTH}};
static const struct knot four_closed[] = {
    {66, 0, KNOT_START},   {34, 32, KNOT_SMOOTH}, {6, 62, KNOT_CORNER},  {50, 62, KNOT_SMOOTH},
    {96, 58, KNOT_SMOOTH}, {68, 2, KNOT_START},   {66, 50, KNOT_SMOOTH}, {64, 100, KNOT_SMOOTH}};
static const struct knot four_rounded[] = {
    {26, 4, KNOT_START},   {12, 34, KNOT_SMOOTH}, {28, 52, KNOT_SMOOTH}, {62, 46, KNOT_SMOOTH},
    {84, 10, KNOT_CORNER}, {72, 52, KNOT_SMOOTH}, {58, 100, KNOT_SMOOTH}};
static const struct knot five_upright[] = {
    {84, 2, KNOT_START},   {54, 3, KNOT_SMOOTH},  {26, 4, KNOT_CORNER},  {22, 42, KNOT_CORNER},
    {58, 38, KNOT_SMOOTH}, {84, 62, KNOT_SMOOTH}, {64, 94, KNOT_SMOOTH}, {12, 96, KNOT_SMOOTH}};
static const struct knot five_quick[] = {
    {98, 0, KNOT_START},   {74, 5, KNOT_SMOOTH},  {48, 10, KNOT_CORNER}, {34, 44, KNOT_SMOOTH},
    {62, 58, KNOT_SMOOTH}, {64, 84, KNOT_SMOOTH}, {36, 99, KNOT_SMOOTH}, {6, 90, KNOT_SMOOTH}};
static const struct knot six_curled[] = {
    {76, 0, KNOT_START},   {36, 22, KNOT_SMOOTH}, {12, 62, KNOT_SMOOTH},
    {26, 94, KNOT_SMOOTH}, {64, 98, KNOT_SMOOTH}, {86, 74, KNOT_SMOOTH},
    {64, 52, KNOT_SMOOTH}, {30, 62, KNOT_SMOOTH}, {16, 78, KNOT_SMOOTH}};
static const struct knot six_straight[] = {
    {58, 0, KNOT_START},   {24, 42, KNOT_SMOOTH}, {14, 78, KNOT_SMOOTH}, {46, 100, KNOT_SMOOTH},
    {78, 82, KNOT_SMOOTH}, {60, 60, KNOT_SMOOTH}, {24, 76, KNOT_SMOOTH}};
static const struct knot seven_plain[] = {{8, 8, KNOT_START},
                                          {50, 6, KNOT_SMOOTH},
                                          {90, 4, KNOT_CORNER},
                                          {62, 46, KNOT_SMOOTH},
                                          {40, 100, KNOT_SMOOTH}};
static const struct knot seven_crossed[] = {
    {8, 8, KNOT_START},     {50, 6, KNOT_SMOOTH}, {90, 4, KNOT_CORNER}, {64, 46, KNOT_SMOOTH},
    {44, 100, KNOT_SMOOTH}, {28, 54, KNOT_START}, {86, 48, KNOT_SMOOTH}};
static const struct knot seven_serif[] = {{8, 28, KNOT_START},   {12, 6, KNOT_CORNER},
                                          {50, 7, KNOT_SMOOTH},  {90, 4, KNOT_CORNER},
                                          {66, 46, KNOT_SMOOTH}, {50, 100, KNOT_SMOOTH}};
static const struct knot eight_one_line[] = {
    {80, 12, KNOT_START},  {46, 0, KNOT_SMOOTH},  {22, 18, KNOT_SMOOTH}, {46, 42, KNOT_SMOOTH},
    {80, 70, KNOT_SMOOTH}, {60, 98, KNOT_SMOOTH}, {22, 92, KNOT_SMOOTH}, {18, 70, KNOT_SMOOTH},
    {50, 46, KNOT_SMOOTH}, {80, 22, KNOT_SMOOTH}, {74, 8, KNOT_SMOOTH}};
static const struct knot eight_two_loops[] = {
    {50, 47, KNOT_START},  {22, 28, KNOT_SMOOTH}, {38, 2, KNOT_SMOOTH},  {70, 4, KNOT_SMOOTH},
    {76, 28, KNOT_SMOOTH}, {50, 47, KNOT_SMOOTH}, {20, 70, KNOT_SMOOTH}, {30, 98, KNOT_SMOOTH},
    {68, 98, KNOT_SMOOTH}, {82, 70, KNOT_SMOOTH}, {50, 47, KNOT_SMOOTH}};
static const struct knot nine_straight[] = {
    {80, 14, KNOT_START},  {48, 0, KNOT_SMOOTH},  {16, 22, KNOT_SMOOTH}, {28, 46, KNOT_SMOOTH},
    {62, 42, KNOT_SMOOTH}, {84, 12, KNOT_CORNER}, {76, 56, KNOT_SMOOTH}, {64, 100, KNOT_SMOOTH}};
static const struct knot nine_curved[] = {
    {78, 16, KNOT_START},  {44, 0, KNOT_SMOOTH},  {14, 26, KNOT_SMOOTH},
    {34, 48, KNOT_SMOOTH}, {72, 34, KNOT_SMOOTH}, {82, 10, KNOT_CORNER},
    {84, 60, KNOT_SMOOTH}, {62, 94, KNOT_SMOOTH}, {26, 97, KNOT_SMOOTH}};

static const struct shape shapes[N_DIGITS][SHAPES_MAX_VARIANTS] = {
    {
        {70, 96, N_KNOTS(zero_round), zero_round},
        {30, 96, N_KNOTS(zero_overlap), zero_overlap},
    },
    {
        {84, 54, N_KNOTS(one_plain), one_plain},
        {11, 54, N_KNOTS(one_flag), one_flag},
        {5, 54, N_KNOTS(one_base), one_base},
    },
    {
        {60, 102, N_KNOTS(two_plain), two_plain},
        {40, 102, N_KNOTS(two_loop), two_loop},
    },
    {
        {65, 98, N_KNOTS(three_round), three_round},
        {35, 98, N_KNOTS(three_angular), three_angular},
    },
    {
        {50, 94, N_KNOTS(four_open), four_open},
        {25, 94, N_KNOTS(four_closed), four_closed},
        {25, 94, N_KNOTS(four_rounded), four_rounded},
    },
    {
        {60, 92, N_KNOTS(five_upright), five_upright},
        {40, 92, N_KNOTS(five_quick), five_quick},
    },
    {
        {60, 76, N_KNOTS(six_curled), six_curled},
        {40, 76, N_KNOTS(six_straight), six_straight},
    },
    {
        {72, 84, N_KNOTS(seven_plain), seven_plain},
        {16, 84, N_KNOTS(seven_crossed), seven_crossed},
        {12, 84, N_KNOTS(seven_serif), seven_serif},
    },
    {
        {65, 80, N_KNOTS(eight_one_line), eight_one_line},
        {35, 80, N_KNOTS(eight_two_loops), eight_two_loops},
    },
    {
        {65, 66, N_KNOTS(nine_straight), nine_straight},
        {35, 66, N_KNOTS(nine_curved), nine_curved},
    },
};

const struct shape *shapes_of(unsigned digit)
{
    assert(digit < N_DIGITS);
    return shapes[digit];
}
