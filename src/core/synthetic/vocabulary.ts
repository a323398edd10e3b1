// Words the synthetic airline is made of. Plain ASCII, as tau-bench's data is.

export const AIRPORTS = [
  "ATL", "BOS", "CLT", "DEN", "DFW", "DTW", "EWR", "IAH", "JFK", "LAS", "LAX", "LGA", "MCO", "MIA", "MSP", "ORD", "PHL", "PHX", "SEA", "SFO",
] as const;

export const FIRST_NAMES = [
  "Aarav", "Amelia", "Anya", "Ava", "Chen", "Daiki", "Emma", "Ethan", "Evelyn", "Fatima", "Harper", "Isabella", "James", "Juan", "Lei", "Liam",
  "Lucas", "Mason", "Mei", "Mia", "Mohamed", "Noah", "Olivia", "Omar", "Raj", "Sofia", "Sophia", "Yara", "Yusuf", "Ivan",
] as const;

export const LAST_NAMES = [
  "Ahmed", "Anderson", "Brown", "Davis", "Garcia", "Gonzalez", "Hernandez", "Ito", "Jackson", "Johansson", "Johnson", "Khan", "Kim", "Kovacs",
  "Lee", "Li", "Lopez", "Martin", "Moore", "Muller", "Nguyen", "Patel", "Rossi", "Sanchez", "Santos", "Silva", "Smith", "Taylor", "Thomas", "Wilson",
] as const;

export const STREETS = ["Broadway", "Cedar Street", "Elm Avenue", "Hickory Lane", "Highland Drive", "Lakeview Drive", "Maple Drive", "Sunset Drive"] as const;

export const CITIES = [
  ["Austin", "TX"], ["Boston", "MA"], ["Chicago", "IL"], ["Dallas", "TX"], ["Denver", "CO"], ["Houston", "TX"], ["Miami", "FL"], ["Phoenix", "AZ"],
  ["Portland", "OR"], ["Seattle", "WA"],
] as const;

export const CARD_BRANDS = ["visa", "mastercard"] as const;
