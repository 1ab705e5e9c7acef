/** The ten groups that study A puts the 22 categories of the US Bureau of Labor Statistics into. */

const groups: Readonly<Record<string, readonly string[]>> = {
  'Arts / Entertainment': ['Arts, design, entertainment, sports, and media'],
  'Construction / Extraction': ['Construction and extraction'],
  Corporate: ['Business and financial operations', 'Management', 'Sales and related'],
  Education: ['Education, training, and library'],
  'Farming / Fishing / Forestry': ['Farming, fishing, and forestry'],
  Healthcare: ['Healthcare practitioners and technical', 'Healthcare support'],
  Legal: ['Legal'],
  Production: ['Production'],
  STEM: ['Architecture and engineering', 'Computer and mathematical', 'Life, physical, and social science'],
  Service: [
    'Building and grounds cleaning and maintenance',
    'Community and social service',
    'Food preparation and serving related',
    'Installation, maintenance, and repair',
    'Office and administrative support',
    'Personal care and service',
    'Protective service',
    'Transportation and material moving',
  ],
}

const byCategory = new Map(
  Object.entries(groups).flatMap(([group, categories]) => categories.map((category) => [category, group] as const)),
)

/** The group of a category, with or without " occupations" at its end; a category that is not in the study is a group of its own. */
export function groupOf(category: string): string {
  const name = category.replace(/ occupations$/, '')
  return byCategory.get(name) ?? name
}
