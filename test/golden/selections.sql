-- everything; in order by itself
(SELECT * FROM carrel.series)

-- collection and modalities; in order by itself
-- $collection = ["alpha"]
-- $modality = ["CT","MR"]
(SELECT * FROM carrel.series WHERE list_contains($collection, collection_id) AND list_contains($modality, Modality))

-- many series; in order by itself
-- $series = ["2.25.1","2.25.2","2.25.3","2.25.4","2.25.5"]
(SELECT * FROM carrel.series WHERE list_contains($series, SeriesInstanceUID))

-- condition and originals; in order by itself
(SELECT * FROM carrel.series WHERE analysis_result_id IS NULL AND (Modality = 'CT' OR instanceCount > 5
))

-- words; in order by itself
-- $wordCollections = ["alpha"]
-- $wordResults = []
(SELECT * FROM carrel.series WHERE (list_contains($wordCollections, collection_id) OR list_contains($wordResults, analysis_result_id)))

-- sample of patients, first three
-- $seed = "7"
(SELECT * FROM (SELECT * FROM (SELECT * FROM carrel.series) WHERE (collection_id, PatientID) IN (SELECT collection_id, PatientID FROM (SELECT * FROM carrel.series) GROUP BY collection_id, PatientID
      ORDER BY md5(concat_ws(chr(31), $seed, collection_id, PatientID)), collection_id, PatientID LIMIT 2)) ORDER BY collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID, crdc_series_uuid LIMIT 3)

-- sample of series
-- $seed = "0"
(SELECT * FROM (SELECT * FROM carrel.series) ORDER BY md5(concat_ws(chr(31), $seed, SeriesInstanceUID)), SeriesInstanceUID, crdc_series_uuid LIMIT 2)

-- split; in order by itself
-- $seed = "0"
(SELECT * EXCLUDE (carrel_draw), CASE WHEN carrel_draw < 3377699720527872 THEN 'train' ELSE 'test' END AS split FROM (
      SELECT *, ('0x' || left(md5(concat_ws(chr(31), 'split', $seed, collection_id, PatientID)), 13))::BIGINT AS carrel_draw FROM (SELECT * FROM carrel.series)))

-- order and limit; ORDER BY carrel_bytes DESC NULLS LAST, "PatientID" ASC NULLS LAST, collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID, crdc_series_uuid
(SELECT * FROM (SELECT * FROM carrel.series) ORDER BY carrel_bytes DESC NULLS LAST, "PatientID" ASC NULLS LAST, collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID, crdc_series_uuid LIMIT 2)

-- statement
-- $modality = ["CT"]
(SELECT * FROM carrel.series WHERE list_contains($modality, Modality) AND SeriesInstanceUID IN (SELECT id FROM temp.carrel_named))

