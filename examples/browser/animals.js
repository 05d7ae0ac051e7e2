// What the page learns from: twenty animals, three questions about each, in five languages. All of it is made here.

/** name, where it lives, what it eats, what it can do. */
const animals = [
  ['fox', 'forest', 'mice', 'run'],
  ['bear', 'mountains', 'honey', 'climb'],
  ['wolf', 'forest', 'meat', 'run'],
  ['hare', 'field', 'grass', 'jump'],
  ['squirrel', 'tree', 'nuts', 'climb'],
  ['owl', 'tree', 'mice', 'fly'],
  ['eagle', 'mountains', 'fish', 'fly'],
  ['duck', 'river', 'seeds', 'swim'],
  ['frog', 'river', 'insects', 'jump'],
  ['whale', 'sea', 'fish', 'dive'],
  ['seal', 'sea', 'fish', 'dive'],
  ['horse', 'field', 'grass', 'run'],
  ['goat', 'mountains', 'leaves', 'jump'],
  ['cat', 'house', 'meat', 'climb'],
  ['dog', 'house', 'meat', 'swim'],
  ['mouse', 'house', 'nuts', 'dig'],
  ['bee', 'garden', 'honey', 'fly'],
  ['sparrow', 'garden', 'seeds', 'fly'],
  ['mole', 'garden', 'insects', 'dig'],
  ['beaver', 'river', 'leaves', 'dive'],
];

const upper = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);

/** A language: its words in the order of `keys`, and its sentences. `a` is an animal, `x` what is asked for. */
const languages = {
  en: {
    words: [
      'the fox|the bear|the wolf|the hare|the squirrel|the owl|the eagle|the duck|the frog|the whale|the seal|the horse|the goat|the cat|the dog|the mouse|the bee|the sparrow|the mole|the beaver',
      'in the forest|in the mountains|in the field|in the tree|in the sea|in the house|in the garden|by the river',
      'mice|honey|meat|grass|nuts|fish|insects|seeds|leaves',
      'run|climb|jump|fly|swim|dive|dig',
    ],
    home: [(a) => `Where does ${a} live?`, (a, x) => `${upper(a)} lives ${x}.`],
    food: [(a) => `What does ${a} eat?`, (a, x) => `${upper(a)} eats ${x}.`],
    skill: [(a) => `What can ${a} do?`, (a, x) => `${upper(a)} can ${x}.`],
  },
  de: {
    words: [
      'der Fuchs|der Bär|der Wolf|der Hase|das Eichhörnchen|die Eule|der Adler|die Ente|der Frosch|der Wal|die Robbe|das Pferd|die Ziege|die Katze|der Hund|die Maus|die Biene|der Spatz|der Maulwurf|der Biber',
      'im Wald|in den Bergen|auf dem Feld|im Baum|im Meer|im Haus|im Garten|am Fluss',
      'Mäuse|Honig|Fleisch|Gras|Nüsse|Fische|Insekten|Samen|Blätter',
      'rennen|klettern|springen|fliegen|schwimmen|tauchen|graben',
    ],
    home: [(a) => `Wo lebt ${a}?`, (a, x) => `${upper(a)} lebt ${x}.`],
    food: [(a) => `Was frisst ${a}?`, (a, x) => `${upper(a)} frisst ${x}.`],
    skill: [(a) => `Was kann ${a}?`, (a, x) => `${upper(a)} kann ${x}.`],
  },
  es: {
    words: [
      'el zorro|el oso|el lobo|la liebre|la ardilla|el búho|el águila|el pato|la rana|la ballena|la foca|el caballo|la cabra|el gato|el perro|el ratón|la abeja|el gorrión|el topo|el castor',
      'en el bosque|en las montañas|en el campo|en el árbol|en el mar|en la casa|en el jardín|junto al río',
      'ratones|miel|carne|hierba|nueces|peces|insectos|semillas|hojas',
      'correr|trepar|saltar|volar|nadar|bucear|cavar',
    ],
    home: [(a) => `¿Dónde vive ${a}?`, (a, x) => `${upper(a)} vive ${x}.`],
    food: [(a) => `¿Qué come ${a}?`, (a, x) => `${upper(a)} come ${x}.`],
    skill: [(a) => `¿Qué sabe hacer ${a}?`, (a, x) => `${upper(a)} sabe ${x}.`],
  },
  fi: {
    words: [
      'kettu|karhu|susi|jänis|orava|pöllö|kotka|ankka|sammakko|valas|hylje|hevonen|vuohi|kissa|koira|hiiri|mehiläinen|varpunen|myyrä|majava',
      'metsässä|vuorilla|pellolla|puussa|meressä|talossa|puutarhassa|joella',
      'hiiriä|hunajaa|lihaa|ruohoa|pähkinöitä|kalaa|hyönteisiä|siemeniä|lehtiä',
      'juosta|kiivetä|hypätä|lentää|uida|sukeltaa|kaivaa',
    ],
    home: [(a) => `Missä ${a} elää?`, (a, x) => `${upper(a)} elää ${x}.`],
    food: [(a) => `Mitä ${a} syö?`, (a, x) => `${upper(a)} syö ${x}.`],
    skill: [(a) => `Mitä ${a} osaa?`, (a, x) => `${upper(a)} osaa ${x}.`],
  },
  ru: {
    words: [
      'лиса|медведь|волк|заяц|белка|сова|орёл|утка|лягушка|кит|тюлень|лошадь|коза|кошка|собака|мышь|пчела|воробей|крот|бобр',
      'в лесу|в горах|в поле|на дереве|в море|в доме|в саду|у реки',
      'мышей|мёд|мясо|траву|орехи|рыбу|насекомых|семена|листья',
      'бегать|лазать|прыгать|летать|плавать|нырять|копать',
    ],
    home: [(a) => `Где живёт ${a}?`, (a, x) => `${upper(a)} живёт ${x}.`],
    food: [(a) => `Что ест ${a}?`, (a, x) => `${upper(a)} ест ${x}.`],
    skill: [(a) => `Что умеет ${a}?`, (a, x) => `${upper(a)} умеет ${x}.`],
  },
};

const keys = [
  animals.map(([name]) => name),
  ['forest', 'mountains', 'field', 'tree', 'sea', 'house', 'garden', 'river'],
  ['mice', 'honey', 'meat', 'grass', 'nuts', 'fish', 'insects', 'seeds', 'leaves'],
  ['run', 'climb', 'jump', 'fly', 'swim', 'dive', 'dig'],
];

/** Codes of the languages. */
export const langs = Object.keys(languages);

/** Sixty facts, each as a question and a passage in every language: `{ key, lang, query, passage }`. */
export const facts = animals.flatMap(([name, ...values]) =>
  ['home', 'food', 'skill'].flatMap((kind, index) =>
    langs.map((lang) => {
      const { words, [kind]: sentences } = languages[lang];
      const word = (list, key) => words[list].split('|')[keys[list].indexOf(key)];
      const [question, answer] = sentences;
      const animal = word(0, name);
      return {
        key: `${name}-${kind}`,
        lang,
        query: question(animal),
        passage: answer(animal, word(index + 1, values[index])),
      };
    }),
  ),
);
