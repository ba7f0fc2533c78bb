/**
 * A small TCIA: data sets of every road, with records as odd as the real ones. Names and DOIs are those of real data sets,
 * so that they can be compared with published tables; passcodes, sizes of files and texts are made up.
 */
import { createDataCite, type DataCiteServer, type RegisteredDoi } from './datacite.ts';
import { createPathDb, type PathDbOptions, type PathDbServer, type PathDbWorldCollection } from './pathdb.ts';
import {
  createWordpress,
  type WordpressOptions,
  type WordpressServer,
  type WordpressWorld,
  type WpRecord,
} from './wordpress.ts';

/** A passcode that must never be printed. */
export const PASSCODE = '0123456789abcdef0123456789abcdef01234567';

/** The public link of a package, as TCIA's pages have it. */
export function packageLink(id: number, origin = 'https://faspex.cancerimagingarchive.net'): string {
  const context = {
    resource: 'packages',
    type: 'external_download_package',
    id: String(id),
    passcode: PASSCODE,
    package_id: String(id),
    email: 'help@cancerimagingarchive.net',
  };
  return `${origin}/aspera/faspex/public/package?context=${Buffer.from(JSON.stringify(context)).toString('base64')}`;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** Fields that every post has. */
function post(id: number, slug: string, type: string): WpRecord {
  return {
    id,
    slug,
    date: '2024-01-02T03:04:05',
    status: 'publish',
    type,
    link: `https://www.cancerimagingarchive.net/${type}/${slug}/`,
    title: { rendered: slug },
    template: '',
    yoast_head: '<!-- This is a lot of text that nobody asked for. -->',
  };
}

function collection(id: number, slug: string, name: string, more: Record<string, unknown>): WpRecord {
  return {
    ...post(id, slug, 'collection'),
    collection_short_title: name,
    collection_title: name,
    collection_doi: '',
    collection_status: 'Complete',
    collection_page_accessibility: 'Public',
    collection_downloads: false,
    collection_summary: '',
    cancer_types: [],
    cancer_locations: '',
    data_types: false,
    species: ['Human'],
    subjects: '',
    program: false,
    version_number: '1',
    date_updated: '20240516',
    supporting_data: '',
    versions: false,
    citations: false,
    hide_from_browse_table: '0',
    ...more,
  };
}

function download(id: number, title: string, more: Record<string, unknown>): WpRecord {
  return {
    ...post(id, `download-${id}`, 'download'),
    download_title: title,
    download_type: '',
    data_type: [],
    file_type: [],
    download_access: 'Public',
    download_file: false,
    download_url: '',
    download_requirements: false,
    data_license: 'CC BY 4.0',
    search_url: '',
    description: '',
    download_size: '',
    download_size_unit: '',
    subjects: '',
    study_count: '',
    series_count: '',
    image_count: '',
    date_updated: '2024-05-16',
    ...more,
  };
}

const SITE = 'https://www.cancerimagingarchive.net';

/** Records of the web site. `link` makes the links of packages (default: the public host). */
export function wordpressWorld(link: (packageId: number) => string = packageLink): WordpressWorld {
  return {
    collections: [
      collection(101, 'dlbcl-morphology', 'DLBCL-Morphology', {
        collection_title:
          'Computational analysis of morphological and molecular features in Diffuse Large B-cell Lymphoma (<em>DLBCL</em>) tissue',
        collection_doi: 'https://doi.org/10.7937/TCIA.FEFX-SN51',
        collection_downloads: [1001, 1002],
        cancer_types: ['Lymphoma'],
        cancer_locations: ['Lymph Node'],
        data_types: ['Histopathology'],
        subjects: '209',
        collection_summary:
          '<p>Tissue micro-arrays of 209 DLBCL cases, stained H&amp;E and by immuno&shy;histochemistry.</p>',
        citations: [5001, 5002],
        versions: [6001],
      }),
      collection(102, 'cmb-gec', 'CMB-GEC', {
        collection_title: 'Cancer Moonshot Biobank &#8211; Gastroesophageal Cancer Collection',
        collection_doi: '10.7937/E7KH-R486 ',
        collection_status: 'Ongoing',
        collection_downloads: ['1010', '1011', '1012'],
        cancer_types: 'Gastroesophageal Cancer',
        cancer_locations: { 0: 'Esophagus', 2: 'Stomach' },
        data_types: ['CT', 'MR', 'PT', 'Histopathology'],
        program: [{ ID: 7, post_title: 'Biobank', program_name: 'Cancer Moonshot Biobank' }],
        subjects: 18,
        version_number: 9,
        date_updated: '07/02/2026',
        supporting_data: 'Clinical',
        citations: ['5003'],
        versions: [6003, 6002],
      }),
      collection(103, 'her2-tumor-rois', 'HER2 tumor ROIs', {
        collection_title: 'HER2 and trastuzumab treatment response H&amp;E slides with tumor ROI annotations',
        collection_doi: 'doi:10.7937/NVA3-N783.',
        collection_downloads: [1020, 1021],
        cancer_types: ['Breast Cancer'],
        data_types: ['Histopathology', 'Segmentation'],
        subjects: '1,234',
        version_number: '3',
      }),
      collection(104, 'rider-pilot', 'RIDER Pilot', {
        collection_doi: '10.7937/M87F-MZ83',
        collection_downloads: [{ ID: 1030, post_title: 'Images' }],
        cancer_types: ['Lung Cancer'],
        cancer_locations: ['Lung'],
        data_types: ['CT', 'CR', 'DX'],
        subjects: '8',
        version_number: false,
      }),
      collection(105, 'remind-faces', 'ReMIND-Faces', {
        collection_title: 'Magnetic resonance of the head, faces not removed',
        collection_doi: '10.7937/FACE-0001',
        collection_downloads: [1040, 1041],
        cancer_types: ['Glioma'],
        data_types: ['MR'],
        subjects: '114',
      }),
      collection(106, 'old-phantom', 'Old-Phantom', {
        collection_doi: '10.7937/OLDP-0001',
        collection_downloads: [1050],
        hide_from_browse_table: '1',
        species: 'Phantom',
      }),
      collection(107, 'cptac-slides', 'CPTAC-Slides', {
        collection_title: 'Slides of CPTAC, without a package',
        collection_doi: '10.7937/CPTA-0001',
        collection_downloads: [1060],
        cancer_types: ['Lung Cancer', 'Müllerian Tumour'],
        data_types: ['Histopathology'],
        subjects: '3',
        program: ['CPTAC'],
      }),
      collection(108, 'sample-torso', 'Sample-Torso', {
        collection_title: 'Synthetic CT of the chest and abdomen',
        collection_doi: '10.5072/SAMPLE.TORSO',
        collection_downloads: [1070],
        data_types: ['CT', 'RTSTRUCT', 'SR'],
      }),
      // Never filled in.
      { ...post(109, '', 'collection'), title: false, link: '' },
    ],
    'analysis-results': [
      {
        ...post(101, 'qiba-volct-1b', 'analysis-result'),
        result_short_title: 'QIBA-VolCT-1B',
        result_title: 'QIBA VolCT Group 1B Round 2 No Change Size Measurements',
        result_doi: '10.7937/TCIA.2020.1C3H-VP70',
        result_downloads: [1080, 1081],
        result_summary: 'Measurements of nodules.',
        collections: [104],
        cancer_types: ['Lung Cancer'],
        cancer_locations: ['Lung'],
        data_types: ['SR', 'SEG'],
        species: ['Human'],
        subjects: '8',
        program: [],
        version_number: '1',
        date_updated: '2020-06-01 00:00:00',
        supporting_data: '',
        versions: '',
        citations: '',
        hide_from_browse_table: '',
      },
    ],
    downloads: [
      download(1001, 'Tissue Slide Images &amp; Annotations', {
        download_type: ['Pathology Images', 'Image Annotations'],
        file_type: ['SVS', 'NDPI'],
        data_type: ['Whole Slide Image'],
        download_url: `${link(615)}&amp;redirected=true`,
        download_size: '220.5',
        download_size_unit: 'gb',
        subjects: '209',
        image_count: '152',
        data_license: '<a href="https://creativecommons.org/licenses/by/3.0/">CC BY 3.0</a>',
        download_requirements:
          '<a href="https://www.ibm.com/aspera/connect/">Requires IBM-Aspera-Connect plugin</a>',
      }),
      download(1002, 'Clinical data', {
        download_type: 'Clinical Data',
        file_type: ['XLSX'],
        download_file: { ID: 9001, post_title: 'clinical' },
        download_size: '84 KB',
        subjects: '209',
      }),
      download(1010, 'Images', {
        download_type: ['Radiology Images'],
        file_type: ['DICOM'],
        data_type: ['CT', 'MR', 'PT'],
        download_file: { ID: '9002' },
        search_url: 'https://nbia.cancerimagingarchive.net/nbia-search/?CollectionCriteria=CMB-GEC',
        download_size: 22.1,
        download_size_unit: 'GB',
        subjects: '18',
        study_count: '66',
        series_count: '251',
        image_count: '43,120',
        download_requirements: 'NBIA Data Retriever',
      }),
      download(1011, 'Tissue Slide Images', {
        download_type: ['Pathology Images'],
        file_type: 'SVS',
        download_url: link(762),
        search_url:
          'https://pathdb.cancerimagingarchive.net/eaglescope/dist/?configurl=%2Fsystem%2Ffiles%2Fcmb-gec.json',
        download_size: '104',
        download_size_unit: 'MB',
        image_count: '4',
      }),
      download(1012, 'Molecular test results', {
        download_type: ['Other'],
        file_type: ['CSV', 'TSV'],
        download_url: `${SITE}/wp-content/uploads/CMB-GEC%20results.csv`,
      }),
      download(1020, 'Tissue Slides and ROIs', {
        download_type: ['Pathology Images', 'Image Annotations'],
        file_type: ['SVS', 'XML'],
        download_url: link(739),
        download_size: '1.5',
        download_size_unit: 'TB',
        image_count: '273',
      }),
      download(1021, 'Tissue Slides, second package', {
        download_type: ['Pathology Images'],
        file_type: ['SVS'],
        download_url: link(740).replace('/aspera/faspex/public/package', '/'),
        download_size: 'unknown',
      }),
      download(1030, 'Images', {
        download_type: 'Radiology Images',
        file_type: 'DICOM',
        download_url: `${SITE}/wp-content/uploads/RIDER-Pilot.tcia`,
        download_size: '11.2',
        download_size_unit: 'GB',
        series_count: '194',
        download_requirements: { ID: 3, post_title: 'Download requires NBIA Data Retriever' },
      }),
      download(1040, 'Images', {
        download_type: ['Radiology Images'],
        file_type: ['DICOM'],
        download_access: 'Limited',
        data_license: { ID: 4, license_label: 'NIH Controlled Data Access', license_url: '' },
        download_url: 'https://general.datacommons.cancer.gov/#/study/phs004225',
        download_size: '90',
        download_size_unit: 'GB',
      }),
      download(1041, 'Segmentations (<i>NIfTI</i>)', {
        download_type: ['Image Annotations'],
        file_type: ['NIfTI', 'ZIP'],
        download_access: 'Limited',
        data_license: 'CC BY-NC 4.0',
        download_file: 9003,
      }),
      download(1050, 'Images', {
        download_type: ['Radiology Images'],
        file_type: ['DICOM'],
        download_file: { ID: 9002 },
      }),
      download(1060, 'Slides', {
        download_type: ['Pathology Images'],
        file_type: ['SVS'],
        search_url: 'https://pathdb.cancerimagingarchive.net/eaglescope/dist/?configurl=cptac-slides',
        data_license: 'CC BY 3.0',
      }),
      download(1070, 'Images', {
        download_type: ['Radiology Images'],
        file_type: ['DICOM'],
        download_url: `${SITE}/wp-content/uploads/sample-torso.tcia`,
      }),
      download(1080, 'DICOM SR and SEG', {
        download_type: ['Image Annotations'],
        file_type: ['DICOM'],
        download_file: { ID: 9004 },
        download_size: '34.5',
        download_size_unit: 'MB',
      }),
      download(1081, 'Measurements at Zenodo', {
        download_url: 'https://zenodo.org/record/1',
        data_license: 'CC0',
      }),
      // Attached to nothing.
      download(1999, '', { title: { rendered: '' } }),
    ],
    citations: [
      {
        ...post(5001, 'c-5001', 'citation'),
        tcia_citation_type: 'Data Citation',
        tcia_citation_text:
          '<p>Vrabac, D., Smit, A., <i>et al.</i> (2020). <b>DLBCL-Morphology</b> (Version 1) [Data set]. The Cancer Imaging Archive. <a href="https://doi.org/10.7937/TCIA.FEFX-SN51">https://doi.org/10.7937/TCIA.FEFX-SN51</a></p>',
        tcia_citation_doi: '',
      },
      {
        ...post(5002, 'c-5002', 'citation'),
        tcia_citation_type: 'TCIA Citation',
        tcia_citation_text:
          'Clark, K., et al. (2013). The Cancer Imaging Archive (TCIA). <em>Journal of Digital Imaging</em>, 26(6), 1045&ndash;1057.',
        tcia_citation_doi: '10.1007/s10278-013-9622-7',
      },
      {
        ...post(5003, 'c-5003', 'citation'),
        tcia_citation_type: '',
        tcia_citation_text:
          'Cancer Moonshot Biobank. (2022). CMB-GEC (Version 9) [Data set]. The Cancer Imaging Archive.',
        tcia_citation_doi: 'https://doi.org/10.7937/E7KH-R486',
      },
    ],
    versions: [
      {
        ...post(6001, 'v-6001', 'version'),
        version_number: '1',
        version_date: '2020-10-01',
        version_text: '',
      },
      {
        ...post(6002, 'v-6002', 'version'),
        version_number: '8',
        version_date: '20250101',
        version_text: '<ul><li>Added 3 subjects</li></ul>',
      },
      {
        ...post(6003, 'v-6003', 'version'),
        version_number: 9,
        version_date: 'July 2, 2026',
        version_text: 'Added&nbsp;2 subjects',
      },
    ],
    media: {
      9001: {
        path: '2020/10/DLBCL clinical.xlsx',
        bytes: bytes('PK not really a workbook'),
        type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      },
      9002: {
        path: 'CMB-GEC_v9.tcia',
        bytes: bytes(
          'downloadServerUrl=https://nbia.cancerimagingarchive.net/nbia-download/servlet/DownloadServlet\nListOfSeriesToDownload=\n1.3.6.1.4.1.14519.5.2.1.1\n',
        ),
        type: 'application/octet-stream',
      },
      9003: { path: 'segmentations.zip', bytes: bytes('PK\u0003\u0004'), type: 'application/zip' },
      9004: {
        path: 'QIBA-VolCT-1B.tcia',
        bytes: bytes('ListOfSeriesToDownload=\n1.2.3\n'),
        type: 'application/octet-stream',
      },
      9005: { path: 'CMB-GEC results.csv', bytes: bytes('case,test\nMSB-1,x\n'), type: 'text/csv' },
    },
    moved: { 'cmb-gastroesophageal': 'cmb-gec' },
  };
}

/** Collections of PathDB: names in another form than the web site's, equal file names, a blank and a `#` in a path. */
export function pathdbWorld(): PathDbWorldCollection[] {
  const slide = (id: number, subject: string, path: string) => ({
    id,
    subject,
    image: `${subject}-${id}`,
    path,
    bytes: bytes(`slide ${id}`),
  });
  return [
    { id: 12, name: 'CMB-GEC', slides: [slide(1, 'MSB-01', 'Biobank/CMB-GEC/MSB-01-01.svs')] },
    {
      id: 31,
      name: 'CPTAC_Slides',
      slides: [
        slide(11, 'C3L-001', 'cptac/a/slide 1.svs'),
        slide(12, 'C3L-002', 'cptac/b/slide 1.svs'),
        slide(13, 'C3L-002', 'cptac/c/Slide 1.svs'),
        slide(14, 'C3L-003', 'cptac/d/100%#2.svs'),
        slide(15, '../..', 'cptac/e/..'),
      ],
    },
  ];
}

/** What DataCite knows: an older DOI that leads to a page, one that leads elsewhere. */
export function registeredDois(): RegisteredDoi[] {
  return [
    {
      doi: '10.7937/tcia.fefx-sn51',
      title: 'DLBCL-Morphology',
      url: `${SITE}/collection/dlbcl-morphology/`,
      creators: ['Vrabac, Damir', 'Smit, Akshay'],
      year: 2020,
      version: '1',
    },
    {
      doi: '10.7937/old1-gec0',
      title: 'CMB-GEC, as it was',
      url: `${SITE}/collection/cmb-gec/`,
      creators: [],
      year: 2021,
      version: 'Version 1',
      related: [
        {
          relationType: 'IsPreviousVersionOf',
          relatedIdentifier: '10.7937/E7KH-R486',
          relatedIdentifierType: 'DOI',
        },
      ],
    },
    {
      doi: '10.7937/else-0001',
      title: 'Elsewhere',
      url: 'https://example.org/data',
      creators: ['A'],
      year: 2022,
      version: null,
    },
  ];
}

/** The three services over one world. */
export interface CollectionServers {
  wordpress: WordpressServer;
  pathdb: PathDbServer;
  datacite: DataCiteServer;
}

/** Makes the services of the small TCIA. */
export function createCollectionServers(
  options: { wordpress?: Partial<WordpressOptions>; pathdb?: Partial<PathDbOptions> } = {},
): CollectionServers {
  return {
    wordpress: createWordpress({ world: wordpressWorld(), ...options.wordpress }),
    pathdb: createPathDb({ collections: pathdbWorld(), ...options.pathdb }),
    datacite: createDataCite({ dois: registeredDois() }),
  };
}
