/**
 * Portuguese sentences without gender: the subject is dropped, as Portuguese does, and the nouns and adjectives have one form for women and
 * men ("É dentista." is she is or he is a dentist). The words were chosen by hand for this; a native speaker has not checked them.
 */

/** A word that has one form for both genders. */
export interface CommonGenderWord {
  readonly word: string
  /** As English calls it: the name in tables of occupations where there is one. */
  readonly english: string
  /** One of study A's groups. */
  readonly group: string
}

/** Portuguese = English, by the groups of study A. */
const occupationsByGroup: Readonly<Record<string, string>> = {
  Healthcare:
    'dentista=dentist, pediatra=pediatrician, psiquiatra=psychiatrist, fisioterapeuta=physical therapist, terapeuta=therapist, ' +
    'psicanalista=psychoanalyst, oftalmologista=ophthalmologist, dermatologista=dermatologist, cardiologista=cardiologist, ' +
    'neurologista=neurologist, oncologista=oncologist, radiologista=radiologist, anestesista=anesthesiologist, ' +
    'ginecologista=gynecologist, urologista=urologist, nutricionista=nutritionist, ortodontista=orthodontist, ' +
    'oculista=optician, massagista=massage therapist, acupunturista=acupuncturist, ortopedista=orthopedist, ' +
    'socorrista=paramedic, geneticista=geneticist, homeopata=homeopath',
  STEM:
    'cientista=scientist, economista=economist, analista=analyst, meteorologista=meteorologist, ecologista=ecologist, ' +
    'ambientalista=environmentalist, linguista=linguist, urbanista=urban planner, astronauta=astronaut, projetista=drafter, ' +
    'paisagista=landscape architect, especialista=specialist, sismologista=seismologist, estrategista=strategist',
  'Arts / Entertainment':
    'artista=artist, jornalista=journalist, pianista=pianist, violinista=violinist, guitarrista=guitarist, baterista=drummer, ' +
    'vocalista=singer, flautista=flutist, harpista=harpist, saxofonista=saxophonist, violoncelista=cellist, solista=soloist, ' +
    'desenhista=illustrator, romancista=novelist, roteirista=screenwriter, colunista=columnist, cartunista=cartoonist, ' +
    'ensaísta=essayist, estilista=fashion designer, cineasta=filmmaker, documentarista=documentary maker, humorista=humorist, ' +
    'comediante=comedian, protagonista=lead actor, acrobata=acrobat, trapezista=trapeze artist, malabarista=juggler, ' +
    'atleta=athlete, tenista=tennis player, ciclista=cyclist, ginasta=gymnast, maratonista=marathon runner, ' +
    'futebolista=football player, surfista=surfer, alpinista=mountaineer, intérprete=interpreter, repórter=reporter, ' +
    'radialista=broadcaster, modelo=model, florista=florist, ceramista=potter',
  Education: 'docente=teacher, estudante=student, regente=conductor, bolsista=scholar',
  Legal:
    'jurista=jurist, criminalista=criminal lawyer, tributarista=tax lawyer, constitucionalista=constitutional lawyer',
  Corporate:
    'gerente=manager, presidente=president, dirigente=executive, comerciante=merchant, representante=sales representative, ' +
    'lojista=shopkeeper, contabilista=accountant, lobista=lobbyist, publicista=publicist, acionista=shareholder, ' +
    'capitalista=capitalist, atacadista=wholesaler, feirante=market trader, negociante=dealer',
  Service:
    'assistente=assistant, atendente=attendant, recepcionista=receptionist, telefonista=telephone operator, ' +
    'motorista=driver, taxista=taxi driver, motociclista=motorcyclist, maquinista=train driver, ' +
    'balconista=counter attendant, frentista=gas station attendant, barista=barista, esteticista=beautician, ' +
    'manicure=manicurist, servente=janitor, ajudante=helper, policial=police officer, agente=agent, detetive=detective, ' +
    'vigilante=security guard, militar=soldier, oficial=officer, comandante=commander, almirante=admiral, general=general, ' +
    'salva-vidas=lifeguard, guia=guide, diplomata=diplomat, burocrata=bureaucrat, ativista=activist, sindicalista=trade unionist, ' +
    'parlamentar=member of parliament, porta-voz=spokesperson, governante=ruler, despachante=dispatcher, ' +
    'arquivista=archivist, diarista=house cleaner, estafeta=courier, piloto=pilot',
  'Construction / Extraction': 'eletricista=electrician, marmorista=marble worker, gessista=plasterer',
  Production: 'metalurgista=metallurgist, chapista=sheet metal worker, ourives=goldsmith',
  'Farming / Fishing / Forestry': 'agropecuarista=farmer, pecuarista=cattle farmer',
}

/** Adjectives with one form. */
const adjectiveList =
  'feliz=happy, triste=sad, forte=strong, inteligente=smart, cruel=cruel, gentil=kind, valente=brave, elegante=elegant, ' +
  'paciente=patient, leal=loyal, capaz=capable, jovem=young, doente=ill, independente=independent, competente=competent, ' +
  'eficiente=efficient, alegre=cheerful, amável=lovable, sensível=sensitive, frágil=fragile, arrogante=arrogant, ' +
  'brilhante=brilliant, exigente=demanding, confiante=confident, humilde=humble, inocente=innocent, importante=important, ' +
  'responsável=responsible, popular=popular, dócil=docile, agradável=pleasant, interessante=interesting'

function pairs(list: string): [word: string, english: string][] {
  return list.split(', ').map((entry) => {
    const [word = '', english = ''] = entry.split('=')
    return [word, english]
  })
}

export const portugueseOccupations: readonly CommonGenderWord[] = Object.entries(occupationsByGroup).flatMap(
  ([group, list]) => pairs(list).map(([word, english]) => ({ word, english, group })),
)

export const portugueseAdjectives: readonly CommonGenderWord[] = pairs(adjectiveList).map(([word, english]) => ({
  word,
  english,
  group: 'Adjectives',
}))

/** Templates of occupations: what they are, and what they work as. */
export const portugueseTemplates = { is: 'É %s.', works: 'Trabalha como %s.' } as const

/** Contexts that say who is meant: in the sentence before, and in the same one. */
export const portugueseContexts = [
  { form: 'sentence before', asked: 'Female', text: 'Minha irmã chegou. É %s.' },
  { form: 'sentence before', asked: 'Male', text: 'Meu irmão chegou. É %s.' },
  { form: 'same sentence', asked: 'Female', text: 'Minha irmã disse que trabalha como %s.' },
  { form: 'same sentence', asked: 'Male', text: 'Meu irmão disse que trabalha como %s.' },
] as const
